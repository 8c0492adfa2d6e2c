"""What the integrity policy lets through."""

import pytest

from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.errors import ConfigurationError
from gauntlet.settings import parse


@pytest.mark.parametrize(
    ("values", "field", "limits"),
    [
        ({"leakage": {"max_auc": 97}}, "leakage.max_auc", "more than 0.5 and less than 1"),
        ({"leakage": {"max_auc": 1}}, "leakage.max_auc", "more than 0.5 and less than 1"),
        ({"leakage": {"max_r2": 1}}, "leakage.max_r2", "more than 0 and less than 1"),
        ({"conflicts": {"max_share": 5}}, "conflicts.max_share", "0 or more and less than 1"),
        ({"across_splits": [{"max_share": 1}]}, "across_splits.0.max_share", "0 or more and less than 1"),
        ({"joins": [{"columns": ["a"], "table": "t", "max_loss": 1}]}, "joins.0.max_loss", "0 or more and less than 1"),
        (
            {"order": [{"earlier": "a", "later": "b", "max_share": -1}]},
            "order.0.max_share",
            "0 or more and less than 1",
        ),
    ],
)
def test_a_share_that_nothing_exceeds_is_no_limit(values, field, limits):
    with pytest.raises(ConfigurationError) as caught:
        parse(IntegrityPolicy, values, field="integrity_policy")
    assert caught.value.field == f"integrity_policy.{field}"
    assert caught.value.mend == f"Give {limits}"
