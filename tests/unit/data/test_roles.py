"""What columns are for, and what their values are called."""

import pytest

from gauntlet.data.roles import Roles
from gauntlet.errors import ConfigurationError
from gauntlet.settings import parse


def test_values_are_named_as_a_file_of_settings_writes_them():
    roles = parse(Roles, {"labels": {"race": {0: "Black", 1.0: "white"}, "member": {True: "yes"}}}, field="roles")
    assert roles.labels == {"race": {"0": "Black", "1": "white"}, "member": {"true": "yes"}}
    assert roles.columns["labels"] == ("race", "member")
    assert parse(Roles, roles.model_dump(mode="json"), field="roles") == roles


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"race": {0: "white", 1: "white"}}, "labels.race: 0, 1 have one name, 'white'; give each its own"),
        ({"race": "white"}, "roles.labels.race"),
        ({"race": {0: ["white"]}}, "roles.labels.race.0"),
    ],
)
def test_names_that_cannot_be_meant_are_refused(labels, message):
    with pytest.raises(ConfigurationError, match=message):
        parse(Roles, {"labels": labels}, field="roles")
