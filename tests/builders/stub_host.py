"""A host whose servers are stubs: ``python stub_host.py FOLDER SECONDS [PATIENCE]``. Quick to start.

An answer may take so many seconds. PATIENCE: limits of connections, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gauntlet.delivery.release import Release
from gauntlet.delivery.targets.local.server.host import serve
from gauntlet.delivery.targets.local.server.processes import Pace
from gauntlet.delivery.targets.local.server.reconciler import Options
from gauntlet.serving.connections import Patience

STUB = Path(__file__).with_name("stub_server.py")


def command(release: Release, port: int) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(STUB), release.uri, release.version, str(port))


PACE = Pace(probe=0.01, watch=0.2, answer=5.0, first_pause=0.05, longest_pause=1.0, grace=5.0)

if __name__ == "__main__":
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    patience = Patience(**json.loads(sys.argv[3])) if len(sys.argv) > 3 else Patience()
    options = Options(folder, port=0, timeout=seconds, seed=7, command=command, pace=PACE, patience=patience)
    sys.exit(serve(options))
