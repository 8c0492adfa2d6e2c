"""Registers a model that passed its gates as a version; idempotent.

A version is found again by its content digest, so a repeated registration (a retry, a rerun with everything cached)
renews the parts beside the model and moves aliases, and creates no second version. Concurrent registrations may both
create one; each then checks again: the older version stays, and the creator of the younger one deletes it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gauntlet.digest import digest_tree
from gauntlet.errors import BrokenArtifact, ConfigurationError, DataError
from gauntlet.lineage.document import LINEAGE_FILE, Document, explain
from gauntlet.model_digest import digest_model
from gauntlet.registry.aliases import Promote, plan_promotion
from gauntlet.registry.enforcement import EnforcementPolicy, decide_stage
from gauntlet.registry.store import (
    CHALLENGER,
    CHAMPION,
    DIGEST_TAG,
    LINEAGE_PART,
    MODEL_PART,
    SCHEMA_PART,
    STATISTICS_PART,
    TAG_VALUE_LIMIT,
    ModelStore,
    Version,
    require_model_name,
)
from gauntlet.registry.tags import part_digest_tag, version_tags
from gauntlet.storage import absence
from gauntlet.verdict import Status, Verdict


@dataclass(frozen=True)
class Submission:
    """Model to register, with its evidence.

    Attributes:
        model: its MLflow folder.
        statistics: folder of the training statistics.
        schema: folder of the schema.
        document: its lineage.
        verdicts: the gates' verdicts.
    """

    model: Path
    statistics: Path
    schema: Path
    document: Document
    verdicts: Sequence[Verdict]


@dataclass(frozen=True)
class Registered:
    """Result of a registration.

    Attributes:
        version: the version.
        created: whether it is new; otherwise the same model was registered before.
        aliases: alias → version number, afterwards.
    """

    version: Version
    created: bool
    aliases: Mapping[str, int]

    @property
    def facts(self) -> Mapping[str, str]:
        """The model, the version, its role (``champion``, ``challenger``, or none), and the champion's version."""
        number, champion = self.version.number, self.aliases.get(CHAMPION)
        return {
            "model": self.version.name,
            "version": str(number),
            "role": next((role for role in (CHAMPION, CHALLENGER) if self.aliases.get(role) == number), ""),
            "champion": "" if champion is None else str(champion),
        }


def register(store: ModelStore, submission: Submission, promote: Promote, policy: EnforcementPolicy) -> Registered:
    """Register a model as a version and promote it.

    Args:
        store: the registry.
        submission: the model, its evidence, its verdicts.
        promote: the promotion policy.
        policy: the enforcement policy.

    Raises:
        ConfigurationError: invalid model name, or a gate blocks the model (see ``refuse_failed``).
        DataError: no model folder, or its content is not what the lineage says.
        DependencyError: the registry does not answer.
    """
    name = require_model_name(submission.document.model_name)
    refuse_failed(submission.verdicts, policy)
    digest = _require_model(submission)
    for part in (submission.statistics, submission.schema):
        if not part.is_dir():
            raise BrokenArtifact("is not there to register beside the model", field=str(part), mend="Make it first")
    tags = {
        **version_tags(submission.document, submission.verdicts),
        part_digest_tag(STATISTICS_PART): digest_tree(submission.statistics),
        part_digest_tag(SCHEMA_PART): digest_tree(submission.schema),
        DIGEST_TAG: digest,
    }
    description = explain(submission.document)[:TAG_VALUE_LIMIT]
    with tempfile.TemporaryDirectory() as folder:
        submission.document.write(Path(folder) / LINEAGE_FILE)
        beside = {
            LINEAGE_PART: Path(folder),
            STATISTICS_PART: submission.statistics,
            SCHEMA_PART: submission.schema,
        }
        earlier = store.with_digest(name, digest)
        if earlier:
            version = earlier[0]
            store.describe(version, beside, tags, description)
        else:
            mine = store.create(name, {MODEL_PART: submission.model, **beside}, tags, description)
            version = _settle(store, mine, digest)
    return Registered(version, created=not earlier, aliases=_promote(store, version, promote))


def refuse_failed(verdicts: Sequence[Verdict], policy: EnforcementPolicy) -> None:
    """Check that no gate blocks the model.

    ``enforce_gates`` stops such a run; a pipeline without it must not register the model either. The rule is
    enforcement's own: ``fail`` and ``error`` are refused unless the policy calls the gate
    advisory or lets errors pass. ``inconclusive`` is left to enforcement.

    Raises:
        ConfigurationError: the verdict of a gate is fail or error.
    """
    blocking = [
        verdict
        for verdict in decide_stage("registering", verdicts, policy).blocking
        if verdict.enforceable in {Status.FAIL, Status.ERROR}
    ]
    if blocking:
        reasons = "; ".join(f"{verdict.gate} ({verdict.status.value}): {verdict.summary}" for verdict in blocking)
        raise ConfigurationError(
            f"a gate refused this model, so it is not registered: {reasons}",
            field="verdicts",
            mend="Put enforce_gates before register_model; to let a gate only warn, name it in policy.advisory",
        )


def _require_model(submission: Submission) -> str:
    """Digest of the model folder, which must be an MLflow model and that of the lineage."""
    if reason := absence(submission.model):
        raise DataError(f"there is no model to register: {reason}", field="model", mend="Train one first")
    digest, recorded = digest_model(submission.model), submission.document.artifacts[MODEL_PART]
    if digest != recorded:
        raise BrokenArtifact(
            f"its content is not what its lineage says ({recorded})",
            field="model",
            value=digest,
            mend="Register the folder exactly as training wrote it",
        )
    return digest


def _settle(store: ModelStore, mine: Version, digest: str) -> Version:
    """Return the one version that stays after concurrent registrations of the same model.

    A registry numbers versions in order of creation, so the creator of the younger one sees the older one.
    """
    oldest = store.with_digest(mine.name, digest)[0]
    if oldest.number == mine.number:
        return mine
    store.discard(mine)
    return oldest


def _promote(store: ModelStore, version: Version, promote: Promote) -> Mapping[str, int]:
    """Move aliases, and return them afterwards.

    Registries offer no compare-and-set. So a champion under ``first`` is checked again, and undone if another version
    became champion at the same time.
    """
    moves = plan_promotion(store.aliases(version.name), version.number, promote)
    store.move(version.name, moves.assign, moves.remove)
    aliases = store.aliases(version.name)
    if promote is Promote.FIRST and CHAMPION in moves.assign and aliases.get(CHAMPION) != version.number:
        moves = plan_promotion(aliases, version.number, promote)
        store.move(version.name, moves.assign, moves.remove)
        aliases = store.aliases(version.name)
    return aliases
