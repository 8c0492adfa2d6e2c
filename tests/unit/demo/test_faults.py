"""What the demo plants: each fault changes the second quarter alone, and names a gate there is."""

import csv
import sys

import pytest

from gauntlet.demo.faults import FAULTS, FIRST, SECOND, Materials, merged, sound
from gauntlet.registry.enforcement import EnforcementPolicy, require_known_gates

OF_TRAINING = {name: fault for name, fault in FAULTS.items() if fault.plant}


@pytest.fixture
def materials(tmp_path, monkeypatch):
    made = Materials(tmp_path, 400, 20, sys.executable)
    # What the store keeps is made by the lender's job, in an environment that has pandas.
    monkeypatch.setattr(Materials, "stored", lambda self, span, features: self.folder / f"{features}-{span}")
    return made


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_names_a_gate_that_exists(name):
    policy = EnforcementPolicy.model_validate({"advisory": [FAULTS[name].gate]})
    require_known_gates(policy, field="gate")


@pytest.mark.parametrize("name", OF_TRAINING)
def test_the_first_quarter_is_sound_and_the_second_is_not(name, materials):
    first = FAULTS[name].plant(FIRST, materials)
    before = materials.applications(FIRST).read_bytes()
    assert first["data"] == sound(FIRST, materials)["data"]
    assert materials.applications(FIRST).read_bytes() == before

    second = FAULTS[name].plant(SECOND, materials)
    rows = _bytes(second)
    assert {**second, "data": []} != {"data": []} or rows != _bytes(sound(SECOND, materials))


def test_a_leak_adds_its_column(materials):
    planted = FAULTS["leak"].plant(SECOND, materials)
    with open(planted["data"][0]["uri"]) as file:
        assert "collection_calls" in next(csv.reader(file))


def test_changes_replace_what_they_name_and_leave_the_rest_of_a_block():
    parameters = {"roles": {"label": "y", "exclude": ["sex"]}, "seed": 7, "data": [1]}
    changed = merged(parameters, {"roles": {"exclude": []}, "data": [2], "history": [3]})
    assert changed == {"roles": {"label": "y", "exclude": []}, "seed": 7, "data": [2], "history": [3]}
    assert parameters["roles"]["exclude"] == ["sex"]


def _bytes(changes):
    with open(changes["data"][0]["uri"], "rb") as file:
        return file.read()
