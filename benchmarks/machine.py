"""What a benchmark ran on, in one line."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

_SHOWN = (
    "numpy",
    "scipy",
    "scikit-learn",
    "fairlearn",
    "pandas",
    "httptools",
    "kserve",
    "mlflow",
    "uvicorn",
    "uvloop",
    "xgboost-cpu",
)


def describe() -> str:
    """Date, cores, memory, Python and the versions of the libraries compared."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = []
    for package in _SHOWN:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    day = datetime.now(UTC).date().isoformat()
    load = os.getloadavg()[0]
    return (
        f"{day}, {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, load average {load:.1f}, "
        f"Python {platform.python_version()}, {', '.join(found)}"
    )
