"""Component: the feature gate."""

from typing import Optional

from kfp.dsl import HTML, Artifact, Dataset, Input, Model, Output

from gauntlet.orchestration.component import Caching, component


@component(image="model", caching=Caching.PURE)
def check_features(
    model: Input[Model],
    champion: Input[Model],
    snapshot: Input[Dataset],
    verdict: Output[Artifact],
    report: Output[HTML],
    history: Optional[Input[Dataset]] = None,  # noqa: UP045 - KFP reads Optional, not "| None"
    stored: Optional[Input[Dataset]] = None,  # noqa: UP045
    feature_code: str = "",
    split: str = "test",
    policy: dict = {},
):
    """Replay history through the new feature code, compare with stored features, and measure the harm of changes.

    Args:
        model: The candidate.
        champion: The serving model; absent when there is none.
        snapshot: The new data, raw.
        history: Raw rows of earlier time spans, one split each; may be absent.
        stored: The features materialized for them, joined by roles.key and roles.time; may be absent.
        feature_code: module:function of the team's feature code; empty: the steps inside the candidate.
        split: The split of the snapshot with the new rows.
        policy: {"absolute_tolerance", "relative_tolerance", "max_share": 0.001, "names": {feature: stored column},
            "exclude", "store_holds": "features" or "inputs", "max_flips", "min_rows", "confidence", ...}.
        verdict: One check for each feature that differs, with the diagnosis and time spans, and one for the harm.
        report: Changed features, time spans, diagnosis, harm by slice, and remedies.
    """
    from pathlib import Path

    from gauntlet.data.snapshot import Snapshot, open_if_there
    from gauntlet.features.gate import judge_features
    from gauntlet.features.inputs import FeatureInputs
    from gauntlet.features.policy import FeaturesPolicy
    from gauntlet.reports.views.features import features_page
    from gauntlet.settings import parse
    from gauntlet.storage import absence, write_text

    inputs = FeatureInputs(
        model=Path(model.path),
        champion=None if absence(Path(champion.path)) else Path(champion.path),
        snapshot=Snapshot.open(Path(snapshot.path)),
        split=split,
        history=open_if_there(Path(history.path)) if history else None,
        stored=open_if_there(Path(stored.path)) if stored else None,
        feature_code=feature_code,
        digests=(str(model.metadata.get("digest", "")), str(champion.metadata.get("digest", ""))),
    )
    found = judge_features(inputs, parse(FeaturesPolicy, policy, field="policy"))
    found.verdict.write(Path(verdict.path))
    write_text(Path(report.path), features_page(found))
