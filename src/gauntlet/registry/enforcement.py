"""From verdicts to a decision: may this run go on?

Gates measure and always succeed; this is the one place where a measurement stops a run. ``fail`` and ``error`` block.
What ``inconclusive`` does is policy: by default it blocks where people or production are protected and warns
elsewhere.
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
    """What a stage lets through."""

    inconclusive: Mapping[str, Action] = Field(
        {},
        description="Gate name, or 'default' → what to do when it could not tell. "
        f"Unless said otherwise: {' and '.join(_CAUTIOUS)} block, the rest warns.",
    )
    error: Action = Field("block", description="What to do when a gate could not check what was asked.")
    advisory: tuple[str, ...] = Field((), description="Gates whose verdicts are reported and never block.")

    def on_inconclusive(self, gate: str) -> Action:
        """What an inconclusive verdict of ``gate`` does."""
        if gate in self.inconclusive:
            return self.inconclusive[gate]
        if DEFAULT in self.inconclusive and gate not in _CAUTIOUS:
            return self.inconclusive[DEFAULT]
        return "block" if gate in _CAUTIOUS else "warn"


@dataclass(frozen=True)
class Decision:
    """What a stage decided.

    Attributes:
        stage: the stage's name.
        blocking: verdicts that stop the run.
        warnings: verdicts that are worth a look and let it pass.
        passed: verdicts with nothing to say against it.
    """

    stage: str
    blocking: tuple[Verdict, ...]
    warnings: tuple[Verdict, ...]
    passed: tuple[Verdict, ...]

    @property
    def summary(self) -> str:
        """One line for the console."""
        total = len(self.blocking) + len(self.warnings) + len(self.passed)
        if self.blocking:
            return f"{self.stage}: stopped by {_names(self.blocking)}"
        warned = f", with warnings from {_names(self.warnings)}" if self.warnings else ""
        return f"{self.stage}: {total} {'gate lets' if total == 1 else 'gates let'} the run go on{warned}"


def decide_stage(stage: str, verdicts: Sequence[Verdict], policy: EnforcementPolicy) -> Decision:
    """Sort verdicts by what they do to the run.

    Args:
        stage: what comes next, as people call it: ``before training``.
        verdicts: one a gate.
        policy: what the team lets through.

    Raises:
        ConfigurationError: no verdict at all, or the policy names a gate that does not exist. One policy may serve
            several stages, so a gate that is merely absent here is fine.
    """
    if not verdicts:
        raise ConfigurationError(
            "no verdicts to enforce", field=stage, mend="Connect at least one gate to enforce_gates"
        )
    require_known_gates(policy, field="policy", more={verdict.gate for verdict in verdicts})
    actions = [_action(verdict, policy) for verdict in verdicts]

    def having(action: str) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict, taken in zip(verdicts, actions, strict=True) if taken == action)

    return Decision(stage, blocking=having("block"), warnings=having("warn"), passed=having("pass"))


def require_known_gates(policy: EnforcementPolicy, *, field: str, more: Collection[str] = ()) -> None:
    """Make sure that a policy names gates that exist.

    Args:
        policy: what the team lets through.
        field: the name the user knows it by.
        more: gates beside Gauntlet's own.

    Raises:
        ConfigurationError: it names another.
    """
    known = sorted({*more, *(gate.name for gate in GATES)})
    for key, named in (("inconclusive", set(policy.inconclusive) - {DEFAULT}), ("advisory", set(policy.advisory))):
        if unknown := sorted(named - set(known)):
            raise ConfigurationError(
                "no such gate", field=f"{field}.{key}", value=unknown[0], mend=f"Use one of: {', '.join(known)}"
            )


def enforce(decision: Decision) -> str:
    """Let the run go on, or stop it.

    Returns:
        The one-line summary.

    Raises:
        GateStopped: with one readable paragraph: which gates, what they found, what to do next.
    """
    if not decision.blocking:
        return decision.summary
    found = " ".join(_paragraph(verdict) for verdict in decision.blocking)
    raise GateStopped(
        f"{decision.summary}. {found}",
        mend="Read the reports of these gates on the run's page; then mend the data or the model, or change the policy "
        "in review",
    )


def _action(verdict: Verdict, policy: EnforcementPolicy) -> str:
    status = verdict.status
    if status is Status.PASS:
        return "pass"
    if verdict.gate in policy.advisory:
        return "warn"
    if status is Status.INCONCLUSIVE:
        return policy.on_inconclusive(verdict.gate)
    return policy.error if status is Status.ERROR else "block"


def _paragraph(verdict: Verdict) -> str:
    """``evaluate_slices (fail): sentence. sentence. And 4 more checks.``"""
    said: list[str] = []
    for check in verdict.worst_first:
        if check.status is Status.PASS:
            break
        sentence = check.reason.rstrip(".") + "."
        # The check of a whole may quote the one that decided it: nobody reads the same words twice.
        if not any(sentence in earlier for earlier in said):
            said.append(sentence)
    left = len(said) - _SENTENCES
    more = f" And {left} more {'check' if left == 1 else 'checks'}." if left > 0 else ""
    quoted = said[:_SENTENCES] or [verdict.summary.rstrip(".") + "."]
    return f"{verdict.gate} ({verdict.status.value}): {' '.join(quoted)}{more}"


def _names(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{verdict.gate} ({verdict.status.value})" for verdict in verdicts)
