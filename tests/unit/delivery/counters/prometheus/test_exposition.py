"""The text format, by the grammar of its specification (Prometheus, "Exposition formats", version 0.0.4)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.delivery.counters.prometheus.exposition import Sample, parse_exposition
from gauntlet.errors import DataError

PAGE = r"""# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{ method = "post" , code = "400", }    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by } zero"} +Inf -3982045
empty{} NaN
http_request_duration_seconds_bucket{le="+Inf"} 144320
	rpc_duration_seconds_sum 	.5e-3
"""


def test_the_page_of_the_specification():
    found = parse_exposition(PAGE)
    assert [sample.name for sample in found] == [
        "http_requests_total",
        "http_requests_total",
        "msdos_file_access_time_seconds",
        "metric_without_timestamp_and_labels",
        "something_weird",
        "empty",
        "http_request_duration_seconds_bucket",
        "rpc_duration_seconds_sum",
    ]
    assert found[1] == Sample("http_requests_total", {"method": "post", "code": "400"}, 3.0)
    assert found[2].labels == {"path": r"C:\DIR\FILE.TXT", "error": 'Cannot find file:\n"FILE.TXT"'}
    assert found[4] == Sample("something_weird", {"problem": "division by } zero"}, math.inf)
    assert math.isnan(found[5].value)
    assert found[7].value == 0.0005


@pytest.mark.parametrize(
    "line",
    [
        "requests_total",
        "requests_total one",
        "requests_total 1_000",
        "requests_total 0x10",
        'requests_total{code="200" 1',
        'requests_total{code="200"x} 1',
        "requests_total{code=200} 1",
        'requests_total{code="200",code="500"} 1',
        'requests_total{code="200"} 1 2 3',
        "<html>",
        '{"error": "not found"}',
    ],
)
def test_what_is_no_sample_is_named_by_its_line(line):
    with pytest.raises(DataError, match="line 2 of the metrics page"):
        parse_exposition(f"up 1\n{line}\n")


def test_a_page_that_was_cut_is_refused():
    with pytest.raises(DataError, match="ends within a line"):
        parse_exposition("requests_total 123\nrequests_total 45")


def test_other_exporters_series_are_not_looked_at():
    page = 'gauntlet_rows_total 3\nother_total{le="} broken\n'
    assert parse_exposition(page, prefix="gauntlet_") == (Sample("gauntlet_rows_total", {}, 3.0),)
    with pytest.raises(DataError):
        parse_exposition(page)


def test_an_empty_page_has_no_samples():
    assert parse_exposition("") == ()


LABELS = st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True), st.text(max_size=12), max_size=4)


@given(LABELS, st.floats())
def test_whatever_was_escaped_is_read_back(labels, value):
    def escaped(text):
        return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")

    inside = ",".join(f'{name}="{escaped(text)}"' for name, text in labels.items())
    number = {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN" if math.isnan(value) else repr(value))
    (sample,) = parse_exposition(f"some_name{{{inside}}} {number}\n")
    assert sample.labels == labels
    assert sample.value == value or math.isnan(value)
