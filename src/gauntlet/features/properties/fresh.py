"""Runs feature code in a fresh Python process with another hash seed.

Dependence on the state of the process shows here: ``hash()`` of a text, a dictionary filled at import, the order of a
set, a state fitted on the first batch.
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
    """Transform that starts a process for each call.

    Args:
        code: ``module:function``, importable there as it is here.
        seconds: longest time a call may take.
    """

    def __init__(self, code: str, seconds: float) -> None:
        self._code = code
        self._seconds = seconds

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Compute the features of rows in a fresh process.

        Raises:
            DataError: the process failed or took too long; with the last line it printed.
        """
        import pyarrow as pa

        with tempfile.TemporaryDirectory(prefix="gauntlet-fresh-") as scratch:
            rows_file, features_file = Path(scratch) / "rows.arrow", Path(scratch) / "features.arrow"
            with pa.ipc.new_file(str(rows_file), rows.schema) as writer:
                writer.write_table(rows)
            self._run([self._code, str(rows_file), str(features_file)])
            with pa.ipc.open_file(pa.BufferReader(features_file.read_bytes())) as reader:
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
    """Choose a hash seed other than this process's."""
    return "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"


def main(arguments: list[str]) -> None:
    """``CODE ROWS FEATURES``: read rows, compute their features, write those."""
    import pyarrow as pa

    from gauntlet.features.transform import open_transform

    code, rows_file, features_file = arguments
    with pa.ipc.open_file(rows_file) as reader:
        table = open_transform(code)(reader.read_all())
    with pa.ipc.new_file(features_file, table.schema) as writer:
        writer.write_table(table)


if __name__ == "__main__":
    main(sys.argv[1:])
