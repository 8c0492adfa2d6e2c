"""Exec a command that the kernel kills when its parent dies (PR_SET_PDEATHSIG).

    python die_with_parent.py PARENT COMMAND …

Linux kills it then (``PR_SET_PDEATHSIG``, which outlives the ``exec``); other systems do not. Started by its path,
with ``-I -S``: it imports nothing but the standard library, and takes some 20 ms.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def tied(command: Sequence[str]) -> tuple[str, ...]:
    """A command that ends when the thread that starts it ends, however that happens."""
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), *command)


def main() -> None:
    """Tie this process to its parent, and exec the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent has ended")  # before the line above could take effect
    os.execvp(command[0], command)  # noqa: S606 - no shell, and the command is our own


if __name__ == "__main__":
    main()
