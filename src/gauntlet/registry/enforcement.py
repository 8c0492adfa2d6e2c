"""Enforcement: decides from verdicts whether a run continues.

Gates measure and always succeed; only enforcement stops a run. ``fail`` and ``error`` block. The effect of
``inconclusive`` is policy: by default it blocks where people or production are protected, or a check asks for proof,
and warns elsewhere. What nobody asked for (a check that is advisory) warns, whatever its status.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from gauntlet.errors import ConfigurationError, GateStopped
from gauntlet.gates import GATES
from gauntlet.settings import Settings
from gauntlet.verdict import Status, Verdict

Action = Literal["block", "warn"]

DEFAULT = "default"
_CAUTIOUS = tuple(gate.name for gate in GATES if gate.cautious)
_SENTENCES = 3
"""Failing checks quoted in full for each gate; the rest are counted."""


class EnforcementPolicy(Settings):
    """Settings of enforcement: which verdicts block."""

    inconclusive: Mapping[str, Action] = Field(
        {},
        description="Gate name, or 'default' → what to do when it could not tell. "
        f"Unless said otherwise: {' and '.join(_CAUTIOUS)} block, and so does any check that asks for proof (a model "
        "that is not shown to beat a constant, an improvement that is not shown); the rest warns.",
    )
    error: Action = Field("block", description="What to do when a gate could not check what was asked.")
    advisory: tuple[str, ...] = Field((), description="Gates whose verdicts are reported and never block.")

    def on_inconclusive(self, verdict: Verdict) -> Action:
        """Action on an inconclusive verdict."""
        if verdict.gate in self.inconclusive:
            return self.inconclusive[verdict.gate]
        if verdict.gate in _CAUTIOUS or verdict.lacks_proof:
            return "block"
        return self.inconclusive.get(DEFAULT, "warn")


@dataclass(frozen=True)
class StageDecision:
    """Decision of one enforcement stage.

    Attributes:
        stage: the stage's name.
        blocking: verdicts that stop the run.
        warnings: verdicts that warn.
        passed: verdicts that pass.
    """

    stage: str
    blocking: tuple[Verdict, ...]
    warnings: tuple[Verdict, ...]
    passed: tuple[Verdict, ...]

    @property
    def summary(self) -> str:
        """Summary in one line, for the console."""
        total = len(self.blocking) + len(self.warnings) + len(self.passed)
        if self.blocking:
            return f"{self.stage}: stopped by {_names(self.blocking)}"
        warned = f", with warnings from {_names(self.warnings)}" if self.warnings else ""
        return f"{self.stage}: {total} {'gate lets' if total == 1 else 'gates let'} the run go on{warned}"


def decide_stage(stage: str, verdicts: Sequence[Verdict], policy: EnforcementPolicy) -> StageDecision:
    """Sort verdicts into blocking, warning and passing ones.

    Args:
        stage: name of the stage: ``before training``.
        verdicts: one per gate.
        policy: which verdicts block.

    Raises:
        ConfigurationError: no verdicts, or the policy names a gate that does not exist. One policy may serve
            several stages, so a gate that is merely absent here is fine.
    """
    if not verdicts:
        raise ConfigurationError(
            "no verdicts to enforce", field=stage, mend="Connect at least one gate to enforce_gates"
        )
    require_known_gates(policy, field="policy", more={verdict.gate for verdict in verdicts})
    actions = [_action(verdict, policy) for verdict in verdicts]

    def having(action: str) -> tuple[Verdict, ...]:
        return tuple(
            verdict for verdict, verdict_action in zip(verdicts, actions, strict=True) if verdict_action == action
        )

    return StageDecision(stage, blocking=having("block"), warnings=having("warn"), passed=having("pass"))


def require_known_gates(policy: EnforcementPolicy, *, field: str, more: Collection[str] = ()) -> None:
    """Check that a policy names existing gates.

    Args:
        policy: which verdicts block.
        field: the parameter's name.
        more: additional gates.

    Raises:
        ConfigurationError: it names an unknown gate.
    """
    known = sorted({*more, *(gate.name for gate in GATES)})
    for key, named in (("inconclusive", set(policy.inconclusive) - {DEFAULT}), ("advisory", set(policy.advisory))):
        if unknown := sorted(named - set(known)):
            raise ConfigurationError(
                "no such gate", field=f"{field}.{key}", value=unknown[0], mend=f"Use one of: {', '.join(known)}"
            )


def enforce(decision: StageDecision) -> str:
    """Stop the run if a verdict blocks.

    Returns:
        The one-line summary.

    Raises:
        GateStopped: names the gates, quotes their findings, and says what to do next.
    """
    if not decision.blocking:
        return decision.summary
    paragraphs = " ".join(_paragraph(verdict) for verdict in decision.blocking)
    raise GateStopped(
        f"{decision.summary}. {paragraphs}",
        mend="Read the reports of these gates on the run's page; then mend the data or the model, or change the policy "
        "in review",
    )


def _action(verdict: Verdict, policy: EnforcementPolicy) -> str:
    if verdict.status.is_clear:
        return "pass"
    status = verdict.enforceable
    if verdict.gate in policy.advisory or status.is_clear:
        return "warn"
    if status is Status.INCONCLUSIVE:
        return policy.on_inconclusive(verdict)
    return policy.error if status is Status.ERROR else "block"


def _paragraph(verdict: Verdict) -> str:
    """Summarize a verdict: ``evaluate_slices (fail): sentence. sentence. And 4 more checks.``"""
    sentences: list[str] = []
    for check in verdict.worst_first:
        if check.status.is_clear or check.advisory:
            continue
        sentence = check.reason.rstrip(".") + "."
        # A check may quote another one; the same sentence is not repeated.
        if not any(sentence in earlier for earlier in sentences):
            sentences.append(sentence)
    left = len(sentences) - _SENTENCES
    more = f" And {left} more {'check' if left == 1 else 'checks'}." if left > 0 else ""
    quoted = sentences[:_SENTENCES] or [verdict.summary.rstrip(".") + "."]
    return f"{verdict.gate} ({verdict.enforceable.words}): {' '.join(quoted)}{more}"


def _names(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{verdict.gate} ({verdict.status.words})" for verdict in verdicts)
