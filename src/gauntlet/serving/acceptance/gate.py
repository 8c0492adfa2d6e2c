"""The serving gate: runs all acceptance tests in order, and makes one verdict.

Tests that may break a server come last. Once the server has answered, all its faults are findings: this gate raises
only for errors of configuration or data.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gauntlet.data.snapshot import Snapshot
from gauntlet.digest import short
from gauntlet.errors import DependencyError
from gauntlet.model_digest import digest_model
from gauntlet.serving.acceptance import footprint as footprints
from gauntlet.serving.acceptance.address import Address, parse_address
from gauntlet.serving.acceptance.bodies import encode, predict_path
from gauntlet.serving.acceptance.case import ServedModel
from gauntlet.serving.acceptance.cases import contract_cases
from gauntlet.serving.acceptance.client import Client, require_reachable
from gauntlet.serving.acceptance.conformance import CaseResult, check_neighbours, judge_cases, send_cases
from gauntlet.serving.acceptance.footprint import Footprint, Readings, sampling_metrics
from gauntlet.serving.acceptance.latency import (
    LATENCY,
    SATURATION,
    Drive,
    LatencyRun,
    SaturationRun,
    judge_latency,
    judge_saturation,
    run_latency,
    run_saturation,
)
from gauntlet.serving.acceptance.parity import Parity, judge_parity, judge_refused, measure_parity
from gauntlet.serving.acceptance.policy import LatencyLimits, ServingPolicy
from gauntlet.serving.acceptance.sampling import Offline, read_offline
from gauntlet.serving.contract import InputContract, read_contract
from gauntlet.serving.load import Load, run
from gauntlet.serving.load_result import LoadResult, Outcome
from gauntlet.verdict import Check, Status, Verdict

GATE = "check_serving"
_IDENTITY = "check_serving.identity"
_ROWS = 200
"""Rows to make requests from where parity, which sets their number, is not tested."""
_MOST_BODIES = 500
"""Number of distinct requests of a load, sent in rotation."""


@dataclass(frozen=True)
class Examination:
    """Result of the serving gate.

    Attributes:
        address: the server.
        model: the model's name in paths.
        digest: the model's content digest.
        policy: the settings.
        findings: results of all cases of the API contract.
        parities: comparisons of served with offline scores.
        latency: the run at the configured rate.
        saturation: the saturation search.
        footprint: resource usage during ``latency``.
        verdict: all checks.
    """

    address: str
    model: str
    digest: str
    policy: ServingPolicy
    findings: tuple[CaseResult, ...]
    parities: tuple[Parity, ...]
    latency: LatencyRun | None
    saturation: SaturationRun | None
    footprint: Footprint | None
    verdict: Verdict


def examine(
    url: str, model: Path, snapshot: Path, predictions: Path, policy: ServingPolicy, *, name: str = "model"
) -> Examination:
    """Test a server of a model.

    Args:
        url: its address, ``http://HOST:PORT``.
        model: the model's folder; read, never loaded.
        snapshot: the data that was scored.
        predictions: output of ``batch_predict`` for it with this model.
        policy: the settings.
        name: the model's name in paths.

    Raises:
        ConfigurationError: the address is invalid or not allowed, or a pattern waives nothing.
        DataError: model, snapshot and predictions cannot be read or do not belong together.
        DependencyError: the address does not answer.
    """
    address = parse_address(url, allow_remote=policy.allow_remote)
    contract, digest = read_contract(model), digest_model(model)
    rows = policy.parity.rows if policy.parity else _ROWS
    offline = read_offline(predictions, Snapshot.open(snapshot), contract, model=digest, rows=rows)
    session = _Session(address, name, contract, offline, policy)
    with session.connect() as client:
        require_reachable(client, address)
    checks: list[Check] = []
    if policy.identity:
        checks.append(session.check_identity(digest))
    findings = session.test_contract(checks)
    parities = session.test_parity(checks)
    latency, footprint = session.test_latency(checks)
    saturation = session.test_saturation(checks)
    facts: dict[str, str | int | float | bool] = {
        "address": str(address),
        "model": name,
        "digest": digest,
        "rows": len(offline.ids),
        "requests_of_the_contract": len(findings),
        "waived": len(policy.contract.waive) if policy.contract else 0,
        "confidence": policy.confidence,
    }
    verdict = Verdict(GATE, tuple(checks), summarise(checks), facts)
    return Examination(
        str(address), name, digest, policy, findings, parities, latency, saturation, footprint, verdict
    )  # fmt: skip


def summarise(checks: Sequence[Check]) -> str:
    """Summarize the checks in one sentence."""
    wrong = [check for check in checks if check.status is not Status.PASS]
    if not wrong:
        return (
            f"The server does what was asked of it: {len(checks)} checks passed." if checks else "Nothing was tested."
        )
    counted = [(status, [check.name for check in wrong if check.status is status]) for status in _SAYING]
    parts = [f"{len(names)} {_SAYING[status]}: {', '.join(names)}" for status, names in counted if names]
    return f"Of {len(checks)} checks {'; '.join(parts)}."


@dataclass(frozen=True)
class _Session:
    """Server, requests and settings; each method adds its checks."""

    address: Address
    name: str
    contract: InputContract
    offline: Offline
    policy: ServingPolicy

    def connect(self) -> Client:
        return Client(self.address, timeout=self.policy.timeout_seconds, headers=self.policy.headers)

    def check_identity(self, digest: str) -> Check:
        title = "the server serves this model"
        with self.connect() as client:
            served = footprints.served_digest(client.ask("GET", "/metrics").body.decode(errors="replace"))
        if served is None:
            reason = "Its /metrics have no single gauntlet_model_info; set identity to false for another server."
            return Check(title, Status.ERROR, reason, code=_IDENTITY)
        if served != digest:
            return Check(title, Status.FAIL, f"It serves {short(served)}…, not {short(digest)}….", code=_IDENTITY)
        return Check(title, Status.PASS, f"It serves {short(served)}….", code=_IDENTITY)

    def test_contract(self, checks: list[Check]) -> tuple[CaseResult, ...]:
        if self.policy.contract is None:
            return ()
        subject = ServedModel(self.contract, self.name, self.offline.rows)
        cases = contract_cases(subject, self.policy.protocols, self.policy.contract)
        with self.connect() as client:
            findings = send_cases(client, cases, subject)
        checks += judge_cases(findings)
        for protocol in self.policy.protocols:
            mine = [case for case in cases if case.protocol == protocol]
            check = check_neighbours(self.connect, mine, subject)
            checks += [check] if check else []
        return findings

    def test_parity(self, checks: list[Check]) -> tuple[Parity, ...]:
        policy = self.policy.parity
        if policy is None:
            return ()
        parities: list[Parity] = []
        with self.connect() as client:
            for protocol in self.policy.protocols:
                parities += measure_parity(
                    client, self.contract, self.offline, policy,
                    protocol=protocol, model=self.name, seed=self.policy.seed,
                )  # fmt: skip
        checks.append(judge_refused(self.offline))
        checks += [
            judge_parity(parity, tolerance=policy.tolerance, confidence=self.policy.confidence) for parity in parities
        ]  # fmt: skip
        return tuple(parities)

    def test_latency(self, checks: list[Check]) -> tuple[LatencyRun | None, Footprint | None]:
        limits, footprint_limits = self.policy.latency, self.policy.footprint
        if limits is None:
            return None, None
        try:
            with (
                sampling_metrics(self.connect, footprint_limits.every_seconds)
                if footprint_limits
                else nullcontext(Readings()) as readings
            ):
                latency = run_latency(
                    self._drive(limits), limits, confidence=self.policy.confidence, seed=self.policy.seed
                )
        except DependencyError as error:
            checks.append(_unreachable("latency", error, code=LATENCY))
            return None, None
        checks += judge_latency(latency, limits)
        if footprint_limits is None:
            return latency, None
        answered = int(np.count_nonzero(latency.measured.outcome == Outcome.ANSWERED))
        footprint = Footprint(readings.parsed, answered * latency.attempts, readings.failures)
        checks += footprints.judge_footprint(footprint, footprint_limits, confidence=self.policy.confidence)
        return latency, footprint

    def test_saturation(self, checks: list[Check]) -> SaturationRun | None:
        policy, limits = self.policy.saturation, self.policy.latency
        if policy is None or limits is None:
            return None
        try:
            saturation = run_saturation(self._drive(limits), policy, limits, seed=self.policy.seed + limits.attempts)
        except DependencyError as error:
            checks.append(_unreachable("highest rate kept (requests/s)", error, code=SATURATION))
            return None
        checks.append(judge_saturation(saturation, policy, limits))
        return saturation

    def _drive(self, limits: LatencyLimits) -> Drive:
        """Make a driver that sends load of real rows in the first protocol."""
        protocol, rows, size = self.policy.protocols[0], self.offline.rows, limits.rows_per_request
        count = min(_MOST_BODIES, -(-len(rows) // size))
        bodies = [
            encode(protocol, self.contract, [rows[(start * size + i) % len(rows)] for i in range(size)])
            for start in range(count)
        ]
        path = self.address.base + predict_path(protocol, self.name)
        headers = {"content-type": "application/json", **self.policy.headers}

        def drive(rate: float, seconds: float, seed: int) -> LoadResult:
            load = Load(
                rate=rate,
                seconds=seconds,
                seed=seed,
                connections=limits.connections,
                timeout=limits.timeout_seconds,
                method="POST",
                path=path,
                bodies=bodies,
                headers=headers,
            )
            return run(load, self.address.host, self.address.port)

        return drive


def _unreachable(name: str, error: DependencyError, *, code: str) -> Check:
    return Check(name, Status.ERROR, f"The server could no longer be reached: {error.message}.", code=code)


_SAYING = {
    Status.FAIL: "failed",
    Status.ERROR: "could not be made",
    Status.INCONCLUSIVE: "could not tell",
}
