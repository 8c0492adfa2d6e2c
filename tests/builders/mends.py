"""Doing what an error says: the settings in its mend, as a user would copy them."""

import json
import re

_SETTING = re.compile(r"reader(?:\.(?P<key>\w+))?: ")


def ways_out(mend: str) -> list[dict[str, object]]:
    """The reader options that a mend names, one dict a sentence that names any."""
    found = []
    for sentence in re.split(r"(?<=[\"}\])a-z])\. (?=[A-Z])", mend):
        options: dict[str, object] = {}
        for setting in _SETTING.finditer(sentence):
            value, _ = json.JSONDecoder().raw_decode(sentence[setting.end() :])
            options.update(value if setting["key"] is None else {setting["key"]: value})
        if options:
            found.append(options)
    return found
