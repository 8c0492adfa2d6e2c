"""What an MLflow address means here: where its files go, and how to show it."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

_SQLITE = "sqlite:///"
_ARTIFACTS = "mlflow-artifacts"


def artifact_root(tracking_uri: str, experiment: str) -> str | None:
    """Where an experiment's files go when the store is an SQLite file: beside it, in ``mlflow-artifacts``.

    MLflow itself would put them into the current folder. ``None`` for a server, which decides by itself.
    """
    if not tracking_uri.startswith(_SQLITE):
        return None
    database = Path(tracking_uri.removeprefix(_SQLITE).partition("?")[0]).absolute()
    return (database.parent / _ARTIFACTS / experiment).as_uri()


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


def without_secrets(uri: str) -> str:
    """The address without a user name and password."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else uri
