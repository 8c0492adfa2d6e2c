"""Where to train: a choice that is stated, and checked against what the trained model says.

XGBoost asked for CUDA without a card only warns and trains on the CPU. So the choice is made before training from what
this installation was built with and which cards the driver shows, and ``confirm`` reads back where training happened.
"""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.training.threads import wait_asleep

Asked = Literal["auto", "cuda", "cpu"]
_LONGEST_NAME = 128


@dataclass(frozen=True)
class Hardware:
    """What training could use.

    Attributes:
        cuda_build: the installed XGBoost was compiled with CUDA.
        cards: names of the cards the CUDA driver shows this process (``CUDA_VISIBLE_DEVICES`` applies).
    """

    cuda_build: bool
    cards: tuple[str, ...]


@dataclass(frozen=True)
class Device:
    """The choice.

    Attributes:
        name: ``cuda`` or ``cpu``, as XGBoost spells it.
        reason: why, as one clause for the log and the report.
    """

    name: Literal["cuda", "cpu"]
    reason: str


def detect() -> Hardware:
    """Look at this installation and this machine."""
    wait_asleep()
    import xgboost

    return Hardware(cuda_build=bool(xgboost.build_info().get("USE_CUDA", False)), cards=visible_cards())


def visible_cards() -> tuple[str, ...]:
    """Ask the CUDA driver library itself; no driver, no cards."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return ()
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return ()
    names = []
    for index in range(count.value):
        name = ctypes.create_string_buffer(_LONGEST_NAME)
        driver.cuDeviceGetName(name, _LONGEST_NAME, index)
        names.append(name.value.decode(errors="replace"))
    return tuple(names)


def require_device_name(asked: str) -> None:
    """Make sure that ``asked`` is something one can ask for.

    Raises:
        ConfigurationError: it is not.
    """
    if asked not in get_args(Asked):
        raise ConfigurationError(
            "no such device", field="device", value=asked, mend=f"Use one of: {', '.join(get_args(Asked))}"
        )


def choose(asked: str, hardware: Hardware) -> Device:
    """Settle on a device.

    Args:
        asked: ``auto`` (a card where there is one), ``cuda`` or ``cpu``.
        hardware: what ``detect`` found.

    Raises:
        ConfigurationError: an unknown name, or ``cuda`` in an installation without CUDA.
        DependencyError: ``cuda``, and no card in sight.
    """
    require_device_name(asked)
    if asked == "cpu":
        return Device("cpu", "cpu was asked for")
    if asked == "cuda" and not hardware.cuda_build:
        raise ConfigurationError(
            "the installed XGBoost was built without CUDA",
            field="device",
            value=asked,
            mend="Use the CUDA build of the model image, or device auto or cpu",
        )
    if asked == "cuda" and not hardware.cards:
        raise DependencyError(
            "no CUDA card is visible to this process",
            field="device",
            value=asked,
            mend="Ask for an accelerator on the training task, look at CUDA_VISIBLE_DEVICES, or use device auto or cpu",
        )
    if hardware.cuda_build and hardware.cards:
        return Device("cuda", f"{asked}: {hardware.cards[0]} is visible and XGBoost was built with CUDA")
    missing = "no CUDA card is visible" if hardware.cuda_build else "the installed XGBoost was built without CUDA"
    return Device("cpu", f"auto: {missing}")


def confirm(booster: Any, device: Device) -> None:
    """Make sure that training happened where it was meant to.

    Raises:
        DependencyError: XGBoost fell back to another device.
    """
    used = str(json.loads(booster.save_config())["learner"]["generic_param"]["device"])
    if used.split(":")[0] != device.name:
        raise DependencyError(
            f"XGBoost was told to train on {device.name} and trained elsewhere",
            field="device",
            value=used,
            mend="Check the card, its driver and the CUDA version of the XGBoost build",
        )
