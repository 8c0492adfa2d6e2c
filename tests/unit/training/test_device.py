"""The choice is tested with the hardware as an argument; XGBoost itself is never faked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xgboost

from builders.training import CONTRACT, recipe_of
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.training.device import Device, Hardware, choose, confirm, detect
from gauntlet.training.trainer import train

CARD = Hardware(cuda_build=True, cards=("NVIDIA H200",))
NO_CARD = Hardware(cuda_build=True, cards=())
CPU_BUILD = Hardware(cuda_build=False, cards=("NVIDIA H200",))


@pytest.mark.parametrize(
    ("option", "hardware", "name", "reason"),
    [
        pytest.param("auto", CARD, "cuda", "auto: NVIDIA H200 is visible and XGBoost was built with CUDA", id="card"),
        pytest.param("cuda", CARD, "cuda", "cuda: NVIDIA H200 is visible", id="configured"),
        pytest.param("auto", NO_CARD, "cpu", "auto: no CUDA card is visible", id="no card"),
        pytest.param("auto", CPU_BUILD, "cpu", "auto: the installed XGBoost was built without CUDA", id="cpu build"),
        pytest.param("cpu", CARD, "cpu", "cpu was configured", id="card not wanted"),
    ],
)
def test_the_choice_says_why(option: str, hardware: Hardware, name: str, reason: str) -> None:
    chosen = choose(option, hardware)
    assert chosen.name == name
    assert chosen.reason.startswith(reason)


def test_cuda_without_a_cuda_build_is_the_users_to_mend() -> None:
    with pytest.raises(ConfigurationError, match=r"device: .*built without CUDA.*device auto or cpu"):
        choose("cuda", CPU_BUILD)


def test_cuda_without_a_card_is_a_missing_dependency() -> None:
    with pytest.raises(DependencyError, match=r"device: no CUDA card is visible.*CUDA_VISIBLE_DEVICES"):
        choose("cuda", NO_CARD)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"device: .*'gpu'.*auto, cuda, cpu"):
        choose("gpu", CARD)


def test_detection_agrees_with_the_build() -> None:
    assert detect().cuda_build == bool(xgboost.build_info()["USE_CUDA"])


@pytest.mark.skipif(detect().cuda_build and bool(detect().cards), reason="this machine can train on CUDA")
def test_a_silent_fall_back_of_xgboost_is_found_after_training(snapshot_of: Callable[..., Snapshot]) -> None:
    # The trainer is told there is a card; XGBoost finds none, warns, and trains on the CPU.
    with (
        pytest.warns(UserWarning, match="from GPU to CPU"),
        pytest.raises(DependencyError, match="configured for cuda and trained on another device"),
    ):
        train(snapshot_of(), CONTRACT, recipe_of(), device="cuda", hardware=CARD)


def test_confirm_accepts_a_booster_trained_where_it_should() -> None:
    matrix = xgboost.DMatrix(np.zeros((4, 1)), label=np.zeros(4))
    booster = xgboost.train({"device": "cpu"}, matrix, 1)
    confirm(booster, Device("cpu", ""))
    with pytest.raises(DependencyError, match="found 'cpu'"):
        confirm(booster, Device("cuda", ""))
