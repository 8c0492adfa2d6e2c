"""No drawn name changes what the data gates say; the whole way to a served model is in the engine's tests."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given

from builders.drawn_names import FEATURES, LABEL, PLAIN, roles, rows, tables, write_table
from gauntlet.data.importing import import_snapshot
from gauntlet.data.integrity.gate import check_integrity
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.schema import choose_schema
from gauntlet.data.schema_inference import InferencePolicy
from gauntlet.data.skew import detect_skew
from gauntlet.data.skew_policy import SkewPolicy
from gauntlet.data.source import resolve
from gauntlet.data.split import SplitOptions
from gauntlet.data.statistics import write_statistics
from gauntlet.data.validation import SchemaPolicy, validate_schema
from gauntlet.settings import parse
from hypothesis_profiles import examples


def described(folder, called, table, purpose, given_roles):
    source = write_table(folder / f"{purpose}.csv", called, table)
    snapshot = import_snapshot(
        resolve([{"uri": source}]),
        folder / purpose,
        roles=parse(Roles, given_roles, field="roles"),
        reader=parse(ReaderOptions, {}, field="reader"),
        split=parse(SplitOptions, {}, field="split"),
        purpose=purpose,
    )
    return snapshot, write_statistics(snapshot, folder / f"{purpose}-statistics")


def judged(called):
    """The checks of the data gates: code and status of each, and what they speak of."""
    with tempfile.TemporaryDirectory() as name:
        folder, table = Path(name), rows(200)
        snapshot, statistics = described(folder, called, table, "training", roles(called))
        asked = [called[column] for column in FEATURES], [table[column] for column in FEATURES]
        _, serving = described(folder, *asked, "serving", {"label": called[LABEL]})
        schema = choose_schema(statistics, [], parse(InferencePolicy, {}, field="policy"))
        skew = detect_skew(statistics, serving, None, schema, parse(SkewPolicy, {"replicates": 1000}, field="policy"))
        verdicts = [
            validate_schema(statistics, serving, schema, parse(SchemaPolicy, {}, field="policy")),
            skew.verdict,
            check_integrity(snapshot, [], parse(IntegrityPolicy, {}, field="policy")).verdict,
        ]
    checks = [check for verdict in verdicts for check in verdict.checks]
    return sorted((check.code, check.status.value) for check in checks), {check.subject for check in checks}


@pytest.fixture(scope="module")
def plain():
    return judged(PLAIN)[0]


@examples(2)
@given(called=tables())
def test_a_drawn_name_changes_no_verdict(plain, called):
    found, subjects = judged(called)
    assert found == plain
    assert {called[column] for column in FEATURES} <= subjects
