import json

import pytest

from gauntlet.errors import DataError
from gauntlet.lineage.record import Record, extend, format_chain, merge, parse_chain

IMPORT = Record("import_snapshot", "data", outputs={"snapshot": "sha256:s"})
TRAIN = Record("train_model", "model", parameters={"seed": 1}, inputs={"snapshot": "sha256:s"}, outputs={"model": "m"})


def test_a_chain_survives_the_round_trip_in_order():
    assert parse_chain(format_chain([IMPORT, TRAIN])) == (IMPORT, TRAIN)


def test_extending_puts_a_task_after_what_it_read_from_and_each_task_once():
    imported = extend(IMPORT, [])
    chain = extend(TRAIN, [imported, "", imported])
    assert parse_chain(chain) == (IMPORT, TRAIN)


def test_extending_by_the_same_task_again_changes_nothing():
    chain = extend(TRAIN, [extend(IMPORT, [])])
    assert extend(TRAIN, [chain]) == chain


def test_records_of_the_same_task_on_the_same_content_have_one_identity():
    assert Record("a", "b", parameters={"x": 1, "y": 2}).digest == Record("a", "b", parameters={"y": 2, "x": 1}).digest
    assert Record("a", "b", parameters={"x": 1}).digest != Record("a", "b", parameters={"x": 2}).digest


def test_merging_keeps_the_first_place_of_each_record():
    assert merge([format_chain([IMPORT]), "", format_chain([TRAIN, IMPORT])]) == (IMPORT, TRAIN)


@pytest.mark.parametrize("broken", ["{", "3", json.dumps([{"component": "a", "image": "b", "path": "/tmp"}])])
def test_what_is_no_chain_is_a_clear_error(broken):
    with pytest.raises(DataError, match="lineage: is not a chain of lineage records"):
        parse_chain(broken)
