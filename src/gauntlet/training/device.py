"""Training device (CPU or CUDA): chosen before training, and verified on the trained model.

With device ``cuda`` and no GPU, XGBoost only warns and trains on the CPU. So the device is chosen from XGBoost's build
and the GPUs that the driver reports, and ``confirm`` reads the device from the trained model.
"""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.training.threads import use_passive_wait

DeviceOption = Literal["auto", "cuda", "cpu"]
_LONGEST_NAME = 128


@dataclass(frozen=True)
class Hardware:
    """Hardware available for training.

    Attributes:
        cuda_build: whether the installed XGBoost was built with CUDA.
        cards: names of the GPUs visible to this process (``CUDA_VISIBLE_DEVICES`` applies).
    """

    cuda_build: bool
    cards: tuple[str, ...]


@dataclass(frozen=True)
class Device:
    """Chosen training device.

    Attributes:
        name: ``cuda`` or ``cpu``, XGBoost's names.
        reason: reason of the choice, one clause for the log and the report.
    """

    name: Literal["cuda", "cpu"]
    reason: str


def detect() -> Hardware:
    """Detect XGBoost's build and this machine's GPUs."""
    use_passive_wait()
    import xgboost

    return Hardware(cuda_build=bool(xgboost.build_info().get("USE_CUDA", False)), cards=visible_cards())


def visible_cards() -> tuple[str, ...]:
    """List the GPUs of the CUDA driver library; none without a driver."""
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


def require_device_name(option: str) -> None:
    """Check that ``option`` is a device name.

    Raises:
        ConfigurationError: it is not.
    """
    if option not in get_args(DeviceOption):
        raise ConfigurationError(
            "no such device", field="device", value=option, mend=f"Use one of: {', '.join(get_args(DeviceOption))}"
        )


def choose(option: str, hardware: Hardware) -> Device:
    """Choose a device.

    Args:
        option: ``auto`` (a GPU if there is one), ``cuda`` or ``cpu``.
        hardware: the result of ``detect``.

    Raises:
        ConfigurationError: an unknown name, or ``cuda`` with an XGBoost built without CUDA.
        DependencyError: ``cuda`` without a visible GPU.
    """
    require_device_name(option)
    if option == "cpu":
        return Device("cpu", "cpu was configured")
    if option == "cuda" and not hardware.cuda_build:
        raise ConfigurationError(
            "the installed XGBoost was built without CUDA",
            field="device",
            value=option,
            mend="Use the CUDA build of the model image, or device auto or cpu",
        )
    if option == "cuda" and not hardware.cards:
        raise DependencyError(
            "no CUDA card is visible to this process",
            field="device",
            value=option,
            mend="Request an accelerator for the training task, check CUDA_VISIBLE_DEVICES, or use device auto or cpu",
        )
    if hardware.cuda_build and hardware.cards:
        return Device("cuda", f"{option}: {hardware.cards[0]} is visible and XGBoost was built with CUDA")
    missing = "no CUDA card is visible" if hardware.cuda_build else "the installed XGBoost was built without CUDA"
    return Device("cpu", f"auto: {missing}")


def confirm(booster: Any, device: Device) -> None:
    """Verify that a model was trained on the chosen device.

    Raises:
        DependencyError: XGBoost fell back to another device.
    """
    used = str(json.loads(booster.save_config())["learner"]["generic_param"]["device"])
    if used.split(":")[0] != device.name:
        raise DependencyError(
            f"XGBoost was configured for {device.name} and trained on another device",
            field="device",
            value=used,
            mend="Check the card, its driver and the CUDA version of the XGBoost build",
        )
