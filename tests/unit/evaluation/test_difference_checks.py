from __future__ import annotations

import dataclasses

import pytest

from gauntlet.evaluation.difference_checks import Difference, improvement_check, kept_check, slice_check
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.slices import ALL, Slice
from gauntlet.verdict import Status

AUC, LOSS = resolve(["auc", "log_loss"], "binary")


def difference(value: float, low: float, high: float, metric=AUC, slice_: Slice = ALL, **more: float) -> Difference:
    return Difference(metric, slice_, 0.9 + value, 0.9, value, (low, high), 0.95, 10_000, **more)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (difference(0.0, -0.004, 0.004), Status.PASS),
        (difference(-0.02, -0.03, -0.01), Status.FAIL),
        (difference(0.0, -0.02, 0.02), Status.INCONCLUSIVE),
        (difference(0.0, -0.004, 0.004, LOSS), Status.PASS),
        (difference(0.02, 0.01, 0.03, LOSS), Status.FAIL),
        (difference(-0.02, -0.03, -0.01, LOSS), Status.PASS),
    ],
)
def test_non_inferiority_in_the_metric_s_own_direction(found: Difference, status: Status) -> None:
    assert kept_check(found, 0.005).status is status


def test_the_sentence() -> None:
    assert kept_check(difference(-0.02, -0.03, -0.01), 0.005).reason == (
        "AUC is 0.020 worse than the champion's (0.880 against 0.900; 95% interval −0.030 to −0.010): "
        "worse by more than the margin of 0.005."
    )


def test_improvement_needs_more_than_nothing() -> None:
    assert improvement_check(difference(0.01, 0.005, 0.015)).status is Status.PASS
    assert improvement_check(difference(0.0, 0.0, 0.0)).status is Status.FAIL
    assert improvement_check(difference(0.01, -0.005, 0.025)).status is Status.INCONCLUSIVE
    assert improvement_check(difference(-0.01, -0.015, -0.005, LOSS)).status is Status.PASS


def test_a_slice_blocks_only_on_proof() -> None:
    women = Slice("sex", "Female")
    assert slice_check(difference(-0.02, -0.03, -0.01, slice_=women), 0.005).status is Status.FAIL
    unknown = slice_check(difference(-0.02, -0.06, 0.02, slice_=women), 0.005)
    assert unknown.status is Status.PASS
    assert "not shown to be worse by more than the margin" in unknown.reason
    assert unknown.name == "sex=Female: auc"


def test_a_difference_that_a_seed_could_bring_is_called_noise() -> None:
    noisy = difference(0.004, -0.02, 0.028, seed_deviation=0.01, sampling_error=0.001)
    reason = kept_check(noisy, 0.005).reason
    assert "within the noise of its own training seed, about ±0.020" in reason
    assert kept_check(noisy, 0.005).rows_needed is None
    quiet = dataclasses.replace(noisy, seed_deviation=0.0005)
    assert "noise" not in kept_check(quiet, 0.005).reason


def test_improvement_turns_losses_around() -> None:
    loss = difference(-0.02, -0.03, -0.01, LOSS)
    assert loss.improvement == 0.02
    assert loss.improvement_interval == (0.01, 0.03)
    assert (loss.bound(0.005), loss.direction) == (0.005, "max")


def test_harm_rests_on_the_rows_alone() -> None:
    """Noise in training widens what may be; it does not excuse what these rows show."""
    worse = difference(-0.02, -0.06, 0.02, seed_deviation=0.02, sampling_error=0.002, rows_interval=(-0.024, -0.016))
    check = kept_check(worse, 0.005)
    assert check.status is Status.FAIL
    assert "interval −0.0240 to −0.0160" in check.reason
    assert improvement_check(worse).status is Status.FAIL
    assert slice_check(worse, 0.005).status is Status.FAIL


def test_a_gain_within_the_noise_of_the_seed_is_no_improvement_and_more_rows_would_not_help() -> None:
    lucky = difference(0.004, -0.02, 0.028, seed_deviation=0.01, sampling_error=0.001, rows_interval=(0.002, 0.006))
    check = improvement_check(lucky)
    assert check.status is Status.FAIL
    assert check.rows_needed is None
    assert "better than the champion's" in check.reason
    assert "but re-training alone moves it by ±0.020" in check.reason


def test_a_gain_that_few_rows_hide_stays_undecided() -> None:
    few = difference(0.004, -0.02, 0.028, seed_deviation=0.005, sampling_error=0.012, rows_interval=(-0.019, 0.027))
    assert improvement_check(few).status is Status.INCONCLUSIVE


def test_a_broken_cap_is_named_in_every_open_question() -> None:
    loud = difference(0.004, -0.02, 0.028, seed_deviation=0.01, sampling_error=0.001, broken_cap=0.002)
    assert "beyond the declared cap of 0.002" in kept_check(loud, 0.005).reason
    assert "beyond the declared cap of 0.002" in improvement_check(loud).reason


def test_rows_are_named_for_what_the_rows_hide_and_not_for_what_the_seed_does() -> None:
    rows_alone = {"rows_interval": (-0.0196, 0.0196), "sampling_error": 0.01}
    without = kept_check(difference(0.0, -0.0196, 0.0196, **rows_alone), 0.015)
    quiet = kept_check(difference(0.0, -0.0208, 0.0208, seed_deviation=0.003, **rows_alone), 0.015)
    loud = kept_check(difference(0.0, -0.0277, 0.0277, seed_deviation=0.009, **rows_alone), 0.015)
    assert without.rows_needed is not None
    assert quiet.rows_needed is not None
    assert without.rows_needed < quiet.rows_needed
    assert loud.rows_needed is None, "a margin within the seed's part takes a gain that is not likely"
