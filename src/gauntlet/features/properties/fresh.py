"""Feature code computed again in a Python process of its own, with another hash seed.

What a process keeps to itself shows here: ``hash()`` of a text, a dictionary filled at import, the order of a set, a
state fitted on the first batch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gauntlet.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

MODULE = "gauntlet.features.properties.fresh"


class FreshProcess:
    """A transform that starts a process each time it is called.

    Args:
        code: ``module:function``, importable there as it is here.
        seconds: longest time a call may take.
    """

    def __init__(self, code: str, seconds: float) -> None:
        self._code = code
        self._seconds = seconds

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Compute the features of rows there.

        Raises:
            DataError: the process failed or took too long; with the last line it printed.
        """
        import pyarrow as pa

        with tempfile.TemporaryDirectory(prefix="gauntlet-fresh-") as scratch:
            given, made = Path(scratch) / "rows.arrow", Path(scratch) / "features.arrow"
            with pa.ipc.new_file(str(given), rows.schema) as writer:
                writer.write_table(rows)
            self._run([self._code, str(given), str(made)])
            with pa.ipc.open_file(pa.BufferReader(made.read_bytes())) as reader:
                return reader.read_all()

    def _run(self, arguments: list[str]) -> None:
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": _seed()}
        try:
            subprocess.run(  # noqa: S603 - this very interpreter, on a module of ours
                [sys.executable, "-m", MODULE, *arguments],
                env=environment,
                capture_output=True,
                text=True,
                timeout=self._seconds,
                check=True,
            )
        except subprocess.TimeoutExpired as error:
            raise DataError(
                "took too long in a process of its own",
                field=self._code,
                value=f"{self._seconds:g} s",
                mend="Allow more fresh_seconds, or make its import cheaper",
            ) from error
        except subprocess.CalledProcessError as error:
            lines = error.stderr.strip().splitlines()
            raise DataError(
                "failed in a process of its own",
                field=self._code,
                value=lines[-1] if lines else f"exit status {error.returncode}",
                mend="Make the module importable on its own",
            ) from error


def _seed() -> str:
    """A hash seed that is not this process's."""
    return "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"


def main(arguments: list[str]) -> None:
    """``CODE ROWS FEATURES``: read rows, compute their features, write those."""
    import pyarrow as pa

    from gauntlet.features.transform import open_transform

    code, given, made = arguments
    with pa.ipc.open_file(given) as reader:
        table = open_transform(code)(reader.read_all())
    with pa.ipc.new_file(made, table.schema) as writer:
        writer.write_table(table)


if __name__ == "__main__":
    main(sys.argv[1:])
