"""Overfitting test of a training loop: a correct loop memorizes one small batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def assert_learns(
    train: Callable[[int], Sequence[float]], *, steps: int = 100, down_to: float = 0.5, by_heart: float | None = 0.1
) -> None:
    """Assert that training overfits one batch: the loss falls far enough and stays there.

        def train(steps):
            torch.manual_seed(0)
            model, losses = Model(), []
            for _ in range(steps):
                losses.append(step(model, BATCH))
            return losses

        assert_learns(train)

    Args:
        train: trains a new model on one fixed small batch for so many steps, and returns the loss of each step.
            Losses are at least zero, and zero is the optimum.
        steps: number of training steps.
        down_to: upper limit of the final loss as a share of the first: of the last loss, so that late divergence fails,
            and of the mean of the last tenth, so that one lucky step does not pass.
        by_heart: share of the first loss that must be reached at least once; ``None`` disables the check.

    Raises:
        AssertionError: the loss is not finite, does not go down and stay there, or the batch is not memorized.
        ConfigurationError: ``down_to`` or ``by_heart`` is not in [0, 1).
    """
    __tracebackhide__ = True
    _require_share("down_to", down_to)
    if by_heart is not None:
        _require_share("by_heart", by_heart)
    losses = [float(loss) for loss in train(steps)]
    fault = _fault(losses, steps, down_to, by_heart)
    if fault:
        raise AssertionError(fault)


def _require_share(name: str, share: float) -> None:
    if not 0 <= share < 1:
        from gauntlet.errors import ConfigurationError

        message = "must be a share of the first loss, at least 0 and below 1"
        raise ConfigurationError(message, field=name, value=share, mend="Use 0.5 for half of it")


def _fault(losses: Sequence[float], steps: int, down_to: float, by_heart: float | None) -> str:
    """Diagnose a loss curve: the fault and possible causes; empty if there is none."""
    if len(losses) < 2 or len(losses) != steps:
        return f"train({steps}) returned {len(losses)} losses. Return the loss of every step, at least two."
    broken = next((step for step, loss in enumerate(losses) if not math.isfinite(loss)), None)
    if broken is not None:
        return (
            f"The loss is {losses[broken]} in step {broken + 1} of {steps} ({_curve(losses[:broken])} before)."
            " Lower the learning rate, and look for a logarithm of zero or a division by it."
        )
    first = losses[0]
    if first <= 0 or min(losses) < 0:
        return (
            f"The loss is {min(losses):.4g} at its lowest and {first:.4g} at first. Use a loss whose minimum is zero."
        )
    tail, limit = losses[-max(1, steps // 10) :], down_to * first
    if losses[-1] > limit or sum(loss - limit for loss in tail) > 0:
        return _high_loss(losses, limit)
    if by_heart is not None and min(losses) > by_heart * first:
        return (
            f"The loss goes down, but the batch is not memorized in {steps} steps: {_curve(losses)}; a model"
            f" that can learn gets to {by_heart * first:.4g} or below. Look for two rows with the same features and"
            " different labels, for too much regularization, and for a model that is too small; or allow more steps."
        )
    return ""


def _high_loss(losses: Sequence[float], limit: float) -> str:
    """Describe a curve that ends above the limit: it never fell, or rose again."""
    facts = f"in {len(losses)} steps on one batch: {_curve(losses)}; it should end at {limit:.4g} or below"
    if min(losses) <= limit:
        return (
            f"The loss goes down and comes up again {facts}. Lower the learning rate, clip gradients, and look for"
            " another batch, or labels in another order, in later steps."
        )
    movement = "does not move" if max(losses) - min(losses) <= 1e-6 * losses[0] else "does not go down"
    return (
        f"The loss {movement} {facts}. Check the learning rate, that gradients reach the weights and that the"
        " optimizer updates them, and that labels belong to their rows."
    )


def _curve(losses: Sequence[float]) -> str:
    """``0.693 at first, 0.691 at last, 0.688 at best``."""
    if not losses:
        return "nothing"
    return f"{losses[0]:.4g} at first, {losses[-1]:.4g} at last, {min(losses):.4g} at best"
