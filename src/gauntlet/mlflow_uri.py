"""What an MLflow address means here: where its files go, who opens it, and what went wrong when it was asked."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from gauntlet.digest import digest_bytes

_SQLITE = "sqlite:///"
_ARTIFACTS = "mlflow-artifacts"
_LONGEST_FOLDER = 255  # bytes, on every usual file system
_FAILURES = {
    *("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "ABORTED", "RESOURCE_CONFLICT"),
    *("DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED", "DATA_LOSS", "INVALID_STATE"),
}
"""Codes of MLflow's errors that say it failed, not that it was asked for something wrong. The first is its default."""
_ACCOUNT = {"PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED", "UNAUTHENTICATED"}


@contextmanager
def one_at_a_time(tracking_uri: str) -> Iterator[None]:
    """Open a database file alone: MLflow makes its tables at first use, and two at once break each other's.

    Nothing is locked for a server, nor where no lock can be made, such as on a disk that takes no writes.
    """
    with ExitStack() as held:
        if tracking_uri.startswith(_SQLITE):
            database = Path(tracking_uri.removeprefix(_SQLITE).partition("?")[0]).absolute()
            with suppress(OSError):
                lock = held.enter_context(database.with_name(f".{database.name}.lock").open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def artifact_root(tracking_uri: str, experiment: str) -> str | None:
    """Where an experiment's files go when the store is an SQLite file: beside it, in ``mlflow-artifacts``.

    MLflow itself would put them into the current folder. ``None`` for a server, which decides by itself. A name that is
    no folder's, such as ``..`` or one of 300 letters, is stood in for by its digest.
    """
    if not tracking_uri.startswith(_SQLITE):
        return None
    database = Path(tracking_uri.removeprefix(_SQLITE).partition("?")[0]).absolute()
    plain = experiment not in {".", ".."} and "/" not in experiment and "\0" not in experiment
    usable = plain and len(experiment.encode()) <= _LONGEST_FOLDER
    folder = experiment if usable else digest_bytes(experiment.encode()).removeprefix("sha256:")
    return (database.parent / _ARTIFACTS / folder).as_uri()


def connection_failure(error: BaseException) -> str | None:
    """What the operating system said, where the error comes from a connection that could not be made or broke.

    MLflow, requests and urllib3 each wrap it in a sentence of their own that repeats the address.
    """
    reason: str | None = None
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ConnectionError | TimeoutError | socket.gaierror):
            reason = inner.strerror or str(inner) or type(inner).__name__
        inner = inner.__cause__ or inner.__context__
    return reason


def refusal(error: BaseException) -> str | None:
    """What MLflow said where it answered and would not do what it was asked; asking again does not help.

    ``None`` where it could not be reached or failed. Its client refuses in the same words before it sends anything, a
    name with a bracket, say.
    """
    code = getattr(error, "error_code", None)
    if code is None or code in _FAILURES or connection_failure(error) is not None:
        return None
    return " ".join(str(error).split())


def refuses_account(error: BaseException) -> bool:
    """Whether it is the account that MLflow refuses, not what was asked."""
    return getattr(error, "error_code", None) in _ACCOUNT
