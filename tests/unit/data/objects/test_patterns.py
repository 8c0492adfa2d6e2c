"""What folders and patterns in names of objects mean."""

import pytest

from gauntlet.data.objects.patterns import matcher, names_one, prefix_of

MEANT = {
    "d/": (["d/a.csv", "d/sub/a.csv"], ["d/_SUCCESS", "d/.crc", "d/_tmp/a.csv", "d/sub/"]),
    "d/*.csv": (["d/a.csv", "d/.csv"], ["d/sub/a.csv", "d/a.csv.gz", "e/a.csv"]),
    "d/**/a.csv": (["d/a.csv", "d/x/a.csv", "d/x/y/a.csv"], ["d/xa.csv", "a.csv"]),
    "d/**": (["d/a.csv", "d/x/a.csv"], ["e/a.csv"]),
    "d/?.csv": (["d/a.csv"], ["d/ab.csv", "d//.csv"]),
    "d/[ab].csv": (["d/a.csv", "d/b.csv"], ["d/c.csv"]),
    "d/[!a].csv": (["d/b.csv"], ["d/a.csv"]),
    "d/a+b(1)*": (["d/a+b(1).csv"], ["d/aab1.csv"]),
    "[ab": (["[ab"], ["a", "b"]),
    "d/[z-a].csv": ([], ["d/a.csv", "d/[z-a].csv"]),
}


@pytest.mark.parametrize("pattern", MEANT)
def test_a_pattern_means(pattern):
    meant, others = MEANT[pattern]
    is_meant = matcher(pattern)
    assert [name for name in (*meant, *others) if is_meant(name)] == meant


@pytest.mark.parametrize("pattern", MEANT)
def test_all_that_is_meant_begins_with_its_prefix(pattern):
    assert all(name.startswith(prefix_of(pattern)) for name in MEANT[pattern][0])
    assert not names_one(pattern)


def test_a_name_without_wildcards_is_one_object():
    assert names_one("d/a.csv")
    assert prefix_of("d/a.csv") == "d/a.csv"
