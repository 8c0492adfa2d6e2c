"""How many threads, and what they do while they wait.

OpenMP's threads spin while they wait for each other. On a machine that is shared, or in a container with less CPU than
it sees cores, a spinning thread holds the core that the thread it waits for needs: with twice as many runnable threads
as cores, 129 rounds on 28,000 rows took 50 s instead of 2. So threads wait asleep, and small work gets one.
"""

from __future__ import annotations

import os

VALUES_PER_THREAD = 1_000_000
"""Below so many values (rows times features) for each, another thread costs more than it brings."""


def wait_asleep() -> None:
    """Ask OpenMP for sleeping instead of spinning, unless the user has said otherwise.

    It is read once, when a library brings OpenMP in: call it before the first import of XGBoost or scikit-learn.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def threads_for(values: int) -> int:
    """Threads for work on ``values`` numbers; 0 leaves it to XGBoost, which takes all that the container allows."""
    wanted = 1 + values // VALUES_PER_THREAD
    return wanted if wanted < len(os.sched_getaffinity(0)) else 0
