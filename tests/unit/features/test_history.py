"""The one call from feature code and two snapshots to findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from builders.features import KEY, World, team_code, world
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.features import replay_history
from gauntlet.features.diagnosis import Kind
from gauntlet.features.findings import Pattern
from gauntlet.verdict import Status
from snapshots import write_snapshot

ROWS = 400


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return team_code(tmp_path_factory.mktemp("code"))


@pytest.fixture(scope="module")
def stored_before(team: Any, tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("world"), team.before, team.before, rows=ROWS, shuffle=True)


def test_the_code_that_wrote_the_store_agrees(team: Any, stored_before: World) -> None:
    result = replay_history(team.before, stored_before.history, stored_before.stored)
    assert result.verdict.status is Status.PASS
    assert {finding.pattern for finding in result.findings} == {Pattern.AGREES}
    assert [span.matched for span in result.replays] == [ROWS, ROWS]
    assert result.code == "before"


@pytest.mark.parametrize("by_name", [False, True], ids=["a function", "its name"])
def test_a_changed_feature_is_found_in_every_span_and_diagnosed(team: Any, stored_before: World, by_name: bool) -> None:
    code = "team_features:after" if by_name else team.after
    result = replay_history(code, stored_before.history, stored_before.stored)
    assert result.verdict.status is Status.FAIL
    worst = result.findings[0]
    assert (worst.feature, worst.pattern) == ("income", Pattern.HISTORY)
    assert worst.diagnosis is not None
    assert worst.diagnosis.kind is Kind.NORMALIZATION
    assert all(comparison.differs for comparison in worst.comparisons)
    assert {finding.check.status for finding in result.findings[1:]} == {Status.PASS}


def test_the_policy_leaves_features_out(team: Any, stored_before: World) -> None:
    past = stored_before.history, stored_before.stored
    without = replay_history(team.after, *past, {"exclude": ["income"]})
    assert without.verdict.status is Status.PASS
    assert without.left_out == {"income": "the policy leaves it out"}
    with pytest.raises(ConfigurationError, match="max_share"):
        replay_history(team.after, *past, {"max_share": 1})
    with pytest.raises(ConfigurationError, match=r"policy.exclude: after gives no such feature"):
        replay_history(team.after, *past, {"exclude": ["incom"]})
    with pytest.raises(ConfigurationError, match=r"policy.max_shares: unknown key"):
        replay_history(team.after, *past, {"max_shares": 1.0})


def test_rows_that_the_store_does_not_know_never_pass(team: Any, stored_before: World, tmp_path: Path) -> None:
    half = stored_before.stored.table("q1").drop_columns(["example_id"]).slice(0, ROWS // 4)
    store = write_snapshot(tmp_path / "half", {"q1": half}, {"key": [KEY], "time": "applied_at"})
    result = replay_history(team.before, stored_before.history, store)
    assert result.verdict.status is Status.INCONCLUSIVE
    codes = [check.code for check in result.verdict.checks]
    assert codes == ["check_features.unmatched", "check_features.unmatched", "check_features.agrees"]


def test_nothing_in_common_is_an_error_and_no_key_is_refused(team: Any, stored_before: World, tmp_path: Path) -> None:
    past = stored_before.history, stored_before.stored
    result = replay_history(lambda rows: rows[["amount"]], *past)
    assert result.verdict.status is Status.ERROR
    assert result.verdict.checks[0].code == "check_features.not_shared"
    keyless = world(tmp_path, team.before, team.before, rows=100, keys=False)
    with pytest.raises(ConfigurationError, match=r"stored.roles.key: the store has no key"):
        replay_history(team.before, keyless.history, keyless.stored)


def test_no_history_is_an_error(team: Any, stored_before: World, tmp_path: Path) -> None:
    empty = write_snapshot(tmp_path / "empty", {"q1": pa.table({KEY: pa.array([], pa.string())})})
    with pytest.raises(DataError, match="split q1: has no rows"):
        replay_history(team.before, empty, stored_before.stored)
