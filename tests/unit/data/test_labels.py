"""Labels that cannot be learnt."""

import pytest

from builders.mends import ways_out
from builders.sources import ALL_TRAIN, load, write_csv
from gauntlet.errors import DataError


def csv(tmp_path, labels):
    return write_csv(tmp_path / "a.csv", x=[number / 2 for number in range(len(labels))], y=labels)


@pytest.mark.parametrize(
    ("labels", "roles"),
    [
        (["yes", "no"] * 20 + ["ja"], {}),
        (["north", "south", "east"] * 10 + ["west"], {}),
        (["true"] * 30 + ["false"], {}),
        ([0] * 30 + [1], {}),
        ([1, 2, 3] * 10 + [4], {"categorical": ["y"]}),
    ],
    ids=["a misspelled class", "a rare class", "a rare truth", "one positive", "a code"],
)
def test_a_class_of_one_row(tmp_path, labels, roles):
    path = csv(tmp_path, labels)
    with pytest.raises(DataError, match=rf"class of one row among {len(labels)}") as caught:
        load(path, tmp_path / "out", roles={"label": "y", **roles}, split=ALL_TRAIN)
    assert str(caught.value.value).lower() == str(labels[-1])
    for number, way in enumerate(ways_out(caught.value.mend)):
        snapshot = load(path, tmp_path / f"out-{number}", reader=way, split=ALL_TRAIN)
        assert snapshot.splits == {"train": len(labels) - 1}


def test_a_number_is_not_left_out_as_a_missing_value(tmp_path):
    """It would be missing in every other column too."""
    path = csv(tmp_path, [0] * 30 + [1])
    for reader in ({}, {"types": {"y": "string"}}, {"types": {"y": "bool"}}):
        with pytest.raises(DataError, match="class of one row") as caught:
            load(path, tmp_path / "out", reader=reader, split=ALL_TRAIN)
        assert ways_out(caught.value.mend) == []


@pytest.mark.parametrize(
    ("labels", "roles"),
    [
        (list(range(40)), {}),
        ([number / 7 for number in range(40)], {}),
        ([0, 1, 2] * 20 + [7], {}),
        (["yes", "no", "maybe"], {}),
        (["yes", "no"] * 2, {}),
        (["yes", "no"] * 10 + ["maybe"] * 2, {}),
    ],
    ids=["numbers", "fractions", "counts", "three rows", "four rows", "two rows of a class"],
)
def test_what_can_be_learnt(tmp_path, labels, roles):
    load(csv(tmp_path, labels), tmp_path / "out", roles={"label": "y", **roles}, split=ALL_TRAIN)


@pytest.mark.parametrize(
    ("labels", "found"),
    [([0, 1] * 20 + [2], 2), ([0, 1] * 20 + [9, 8], [9, 8]), ([0.0, 1.0] * 20 + [0.5], 0.5), ([-1, 1] * 10 + [0], 0)],
    ids=["a third", "two more", "a half", "a zero"],
)
def test_two_numbers_and_a_typing_error_are_no_quantity(tmp_path, labels, found):
    path = csv(tmp_path, labels)
    with pytest.raises(DataError, match="two values in all but") as caught:
        load(path, tmp_path / "out", split=ALL_TRAIN)
    assert caught.value.value == found
    (way,) = ways_out(caught.value.mend)
    assert load(path, tmp_path / "2", reader=way, split=ALL_TRAIN).columns["y"] == "float"


def test_many_lone_classes_are_counted(tmp_path):
    labels = ["yes", "no"] * 20 + [f"class {number}" for number in range(50)]
    with pytest.raises(DataError, match="50 classes of one row each among 90") as caught:
        load(csv(tmp_path, labels), tmp_path / "out")
    assert ways_out(caught.value.mend) == []


def test_a_served_sample_needs_no_two_of_a_class(tmp_path):
    path = csv(tmp_path, ["yes", "no"] * 20 + ["ja"])
    assert load(path, tmp_path / "out", purpose="serving").splits == {"serving": 41}


def test_a_sample_of_the_rows_is_judged_by_all_rows(tmp_path):
    path = csv(tmp_path, ["yes"] * 400 + ["no"] * 3)
    assert load(path, tmp_path / "out", split=ALL_TRAIN, most_rows=40).splits["train"] < 100
