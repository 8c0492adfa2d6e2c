from typing import Any

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.serving.acceptance.policy import ServingPolicy
from gauntlet.settings import parse


def test_nothing_said_tests_everything_on_this_machine_alone() -> None:
    policy = parse(ServingPolicy, {}, field="policy")
    assert policy.protocols == ("v1", "v2")
    assert None not in (policy.contract, policy.parity, policy.latency, policy.saturation, policy.footprint)
    assert not policy.allow_remote


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"protocols": []}, "at least 1 item"),
        ({"protocols": ["v1", "v1"]}, "names one twice"),
        ({"protocols": ["grpc"]}, "v1"),
        ({"latency": None}, "give latency"),
        ({"latency": None, "footprint": None}, "saturation starts at the rate"),
        ({"latency": {"rate": 5000}}, "raise it"),
        ({"latency": {"p99": 3}}, "Did you mean"),
        ({"parity": {"tolerance": -1}}, "greater than or equal to 0"),
    ],
)
def test_what_contradicts_itself_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        parse(ServingPolicy, values, field="policy")
