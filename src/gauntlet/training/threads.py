"""OpenMP settings: passive waiting, and the number of threads.

By default OpenMP's threads busy-wait for each other. On a shared machine, or in a container with a CPU limit below its
visible cores, a spinning thread holds the core that the thread it waits for needs: with twice as many runnable threads
as cores, 129 rounds on 28,000 rows took 50 s instead of 2. So threads wait passively, and small work gets one thread.
"""

from __future__ import annotations

import os

VALUES_PER_THREAD = 1_000_000
"""Values (rows times features) per thread below which another thread does not pay."""


def use_passive_wait() -> None:
    """Set ``OMP_WAIT_POLICY=passive``, unless the user has set it.

    OpenMP reads it once when it is loaded: call this before the first import of XGBoost or scikit-learn.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def threads_for(values: int) -> int:
    """Number of threads for ``values`` numbers; 0 lets XGBoost use all cores that the container allows."""
    threads = 1 + values // VALUES_PER_THREAD
    return threads if threads < len(os.sched_getaffinity(0)) else 0
