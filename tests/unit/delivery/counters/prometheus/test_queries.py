import re
from importlib.resources import files

import pytest

import gauntlet.delivery.counters.prometheus as package
from gauntlet.delivery.counters.prometheus.families import FAMILIES
from gauntlet.delivery.counters.prometheus.queries import WHAT, family_queries, filled, quoted, regular, timestamps
from gauntlet.errors import ConfigurationError

QUERIES = files(package) / "queries"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_a_file_for_every_series_it_names(name):
    family = FAMILIES[name]
    series = dict(
        zip(WHAT, (family.requests, family.latency, family.scores, family.sliced, family.in_flight), strict=True)
    )
    queries = family_queries(name, ("7", "8"), {"namespace": "loans"})
    assert queries == {
        what: f'{metric}{{{family.version}=~"7|8",namespace="loans"}}' for what, metric in series.items() if metric
    }


@pytest.mark.parametrize("path", sorted(p.name for f in QUERIES.iterdir() if f.is_dir() for p in f.iterdir()))
def test_every_file_is_one_that_is_read(path):
    assert path.removesuffix(".promql") in WHAT


def test_every_placeholder_is_documented_where_it_is_used():
    for folder in (one for one in QUERIES.iterdir() if one.is_dir()):
        head = (folder / "requests.promql").read_text()
        for name in re.findall(r"\$(\w+)", head):
            assert re.search(rf"^# \${name}\s", head, re.MULTILINE)
        for one in folder.iterdir():
            assert "Placeholders as in requests.promql." in one.read_text() or one.name == "requests.promql"


def test_what_a_label_says_stays_text():
    hostile = 'a"} or vector(1) #\\ \n.*'
    assert quoted(hostile) == '"a\\"} or vector(1) #\\\\ \\n.*"'
    (query, *_) = family_queries("server", ("1.0|.*",), {"model_name": hostile}).values()
    assert (
        query == 'gauntlet_requests_total{model_version=~"1\\\\.0\\\\|\\\\.\\\\*",model_name=' + quoted(hostile) + "}"
    )
    assert regular("loans-00002") == "loans\\\\-00002"


def test_the_time_of_a_querys_samples():
    assert timestamps("up{job='x'}") == "timestamp(up{job='x'})"


@pytest.mark.parametrize("text", ["sum(x{v='$version'})", "x{v=~'7$'}"])
def test_a_placeholder_that_nobody_knows_is_refused(text):
    with pytest.raises(
        ConfigurationError, match=r"revenue: has a placeholder that is not known.*Use \$candidate, and \$\$"
    ):
        filled(text, {"candidate": "8"}, field="revenue")


def test_a_dollar_is_written_twice():
    assert filled("# a comment\nx{v=~'7$$'}", {}, field="revenue") == "x{v=~'7$'}"
