"""The features page, filled as the gate fills it, without a model."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gauntlet.features.findings import Parties, find_feature, of_replay
from gauntlet.features.gate import FeaturesResult
from gauntlet.features.impact import Impact, MetricChange, impact_check
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import replay
from gauntlet.features.span import spans_of
from gauntlet.features.stored import KeyedStore
from gauntlet.features.summary import GATE, feature_checks, nothing_stored, summarise
from gauntlet.features.transform import Transform
from gauntlet.reports.views.features import features_page
from gauntlet.settings import parse
from gauntlet.verdict import Verdict
from snapshots import write_snapshot

POLICY = parse(FeaturesPolicy, {}, field="policy")
CODES = {"car": "1", "home": "2", "education": "3", "business": "4"}


def features_result(*, good: bool) -> FeaturesResult:
    """A replay in which nothing changed, or one with a normalization, a relabelling and missing values."""
    spans = {name: raw(at) for at, name in enumerate(("2025-q1", "2025-q2", "2025-q3", "test"))}
    code = Transform("team_features:after", "sha256:" + "ab" * 32, after)
    stored = {name: after(one) if good or name == "test" else before(one) for name, one in spans.items()}
    with tempfile.TemporaryDirectory() as scratch:
        folder, keyed = Path(scratch), {"key": ["id"]}
        history = write_snapshot(
            folder / "history", {name: one for name, one in spans.items() if name != "test"}, keyed
        )
        snapshot = write_snapshot(folder / "new", {"test": spans["test"]}, keyed)
        kept = write_snapshot(folder / "stored", stored, keyed)
        shared = {name: name for name in kept.columns if name != "id"}
        with KeyedStore(kept, ["id"], list(shared), partition_rows=5_000) as store:
            replays = tuple(replay(one, code, store, shared, POLICY) for one in spans_of(history, snapshot, "test"))
    own = {
        name: [of_replay(one.features[name], one.span, bound=POLICY.max_share, store="the store") for one in replays]
        for name in shared
    }
    findings = tuple(find_feature(name, compared, Parties("the store")) for name, compared in own.items())
    impact = (
        None
        if good
        else Impact(8_000, 5_120, (0.629, 0.651), 0.31, 0.34, MetricChange("AUC", 0.78, 0.55, (-0.26, -0.2)))
    )
    checks = feature_checks(findings, "the store") + ([] if impact is None else [impact_check(impact, POLICY)])
    facts = {"spans": 4, "rows": 8_000, "matched": 8_000, "features": len(findings)}
    left_out = {"instalment": "nothing is stored under its name"}
    return FeaturesResult(
        Verdict(GATE, tuple(checks), summarise(checks, impact), facts),
        tuple(sorted(findings, key=lambda one: one.check.status != "fail")),
        replays,
        impact,
        (),
        {} if good else left_out,
        code.name,
        "the store",
    )


def raw(span: int) -> pa.Table:
    rng = np.random.default_rng(span)
    return pa.table(
        {
            "id": pa.array(range(span * 10_000, span * 10_000 + 2_000)),
            "income": rng.lognormal(7.9, 0.4, 2_000),
            "debt_ratio": rng.beta(2.6, 4.6, 2_000),
            "purpose": pa.array(rng.choice(list(CODES), 2_000)),
            "history_years": pa.array(rng.gamma(2.2, 3.0, 2_000), mask=rng.random(2_000) < 0.08),
        }
    )


def before(rows: pa.Table) -> pa.Table:
    return rows


def after(rows: pa.Table) -> pa.Table:
    """Income normalized, purposes renumbered, missing years filled."""
    income = pc.divide(pc.subtract(rows.column("income"), 2_900.0), 1_200.0)
    purpose = pa.array([CODES[one] for one in rows.column("purpose").to_pylist()])
    years = pc.fill_null(rows.column("history_years"), 0.0)
    names = rows.column_names
    rows = rows.set_column(names.index("income"), "income", income).set_column(
        names.index("purpose"), "purpose", purpose
    )
    return rows.set_column(names.index("history_years"), "history_years", years)


def nothing() -> str:
    check = nothing_stored()
    return features_page(FeaturesResult(Verdict(GATE, (check,), check.reason, {"spans": 0}), code="the raw columns"))


FEATURE_PAGES = {
    "features-changed": lambda: (
        features_page(features_result(good=False)),
        ["was redefined and its past was not recomputed", "Whom it harms", "car → 1", "they agree"],
    ),
    "features-same": lambda: (features_page(features_result(good=True)), ["4 features are what the store gives"]),
    "features-nothing": lambda: (nothing(), ["no features were compared"]),
}
