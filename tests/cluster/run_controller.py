"""A controller to be killed: ``run_controller.py KUBECONFIG SERVICE MODE HARM_FROM HOLDER``."""

import os
import sys
import time

from builders.kserve_rollouts import QUICK, V1, V2, Verdicts
from gauntlet.delivery.rollout.controller import run_to_end, start
from gauntlet.delivery.rollout.ports import Backends
from gauntlet.delivery.targets.kserve.api import connect
from gauntlet.delivery.targets.kserve.journal_store import ConfigMapJournalStore
from gauntlet.delivery.targets.kserve.knative.target import KnativeTarget
from gauntlet.delivery.targets.kserve.lease import ClusterLease
from gauntlet.delivery.targets.kserve.standard.target import StandardTarget


def main(kubeconfig: str, service: str, mode: str, harm_from: str, holder: str) -> None:
    os.environ["KUBECONFIG"] = kubeconfig
    api = connect()
    target = KnativeTarget(api) if mode == "Knative" else StandardTarget(api)
    lease = ClusterLease(api, holder=holder, seconds=1.0)
    backends = Backends(ConfigMapJournalStore(api), lease, target, Verdicts(int(harm_from)))
    start(backends.journals, service, V2, V1, time.time())
    print("started", flush=True)  # noqa: T201 - what the test waits for
    end = run_to_end(backends, QUICK, service, clock=time.time, sleep=time.sleep, patience=10_000)
    print(end.phase.value, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
