"""What can go wrong, sorted by who has to act.

    GauntletError             code            exit   who acts
    ├── ConfigurationError    configuration     2    the user: a parameter, a policy, a name
    ├── DataError             data              2    whoever owns the data: a file, a model, what a service was fed
    ├── DependencyError       dependency        3    a service we call is missing or fails; ``retryable``: wait
    ├── InternalError         internal          3    us
    └── GateStopped           gate_stopped      1    nobody: a gate did its work (raised by ``enforce_gates`` alone)

A failed gate is a verdict, never an exception; only enforcement turns verdicts into a stop. Every error names the
field, the value found and the mend, and prints as one readable paragraph. Programs tell errors apart by class or code.
A ``BrokenArtifact`` (3) is what a task wrote and another cannot use: no mistake in anybody's files.
"""

from __future__ import annotations

import errno
import os
from typing import ClassVar

EXIT_PASS = 0
EXIT_STOPPED = 1
EXIT_USAGE = 2
EXIT_BROKEN = 3

_LONGEST_VALUE = 200
_LARGEST_EXACT = 2**53


class GauntletError(Exception):
    """Base of every error Gauntlet raises on purpose.

    Args:
        message: one sentence saying what is wrong.
        field: the parameter, column, file or option concerned.
        value: what was found there; shortened for display.
        mend: what to do about it, in the imperative.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = EXIT_BROKEN

    def __init__(
        self, message: str, *, field: str | None = None, value: object = None, mend: str | None = None
    ) -> None:
        self.message = message
        self.field = field
        self.value = value
        self.mend = mend
        super().__init__(message)

    def __str__(self) -> str:
        parts = [f"{self.field}: {self.message}" if self.field else self.message]
        if self.value is not None:
            text = _shown(self.value)
            parts.append(f"found {text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '…'}")
        sentence = _closed("; ".join(part.rstrip(".") for part in parts))
        return f"{sentence} {_closed(self.mend)}" if self.mend else sentence

    @property
    def line(self) -> str:
        """For a log or a console: ``DataError: row 3: is not JSON.``"""
        return f"{type(self).__name__}: {self}"

    def to_json(self) -> dict[str, str | int | None]:
        """For programs. ``code`` says what kind of error it is; ``error`` may be worded otherwise tomorrow."""
        return {"code": self.code, "exit_code": self.exit_code, "field": self.field, "error": self.line}


class ConfigurationError(GauntletError):
    """A parameter, policy or name given by the user cannot be used."""

    code = "configuration"
    exit_code = EXIT_USAGE


class DataError(GauntletError):
    """The data cannot be read, or is not what it was declared to be."""

    code = "data"
    exit_code = EXIT_USAGE


class DependencyError(GauntletError):
    """A service or tool outside Gauntlet is missing or failing."""

    code = "dependency"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: object = None,
        mend: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message, field=field, value=value, mend=mend)
        self.retryable = retryable


class InternalError(GauntletError):
    """A promise inside Gauntlet does not hold: a defect of ours."""

    code = "internal"


class GateStopped(GauntletError):
    """The verdicts say this run must not go on. Raised by ``enforce_gates`` alone."""

    code = "gate_stopped"
    exit_code = EXIT_STOPPED


class RolloutBlocked(ConfigurationError):
    """Something has to be mended before a rollout can begin; the error lists all of it."""

    code = "configuration.rollout_blocked"


class RolloutUnderWay(ConfigurationError):
    """Another version is being rolled out on this service."""

    code = "configuration.rollout_under_way"


class NoRollout(ConfigurationError):
    """Nothing was ever rolled out on this service."""

    code = "configuration.no_rollout"


class BrokenArtifact(DataError):
    """What a task or a rollout of ours wrote is damaged, is gone, or is not what it is connected as."""

    code = "data.broken_artifact"
    exit_code = EXIT_BROKEN


class JournalUnreadable(BrokenArtifact):
    """What is kept as the journal of a rollout is none."""

    code = "data.journal_unreadable"


class ServiceBusy(DependencyError):
    """Another process acts on this service; the same call may succeed later."""

    code = "dependency.service_busy"


class VersionNotReady(DependencyError):
    """A version was deployed and did not answer in time."""

    code = "dependency.version_not_ready"


_ENVIRONMENT = {
    errno.ENOSPC: "Free disk space, or name a folder on another disk",
    errno.EDQUOT: "Free what the quota counts, or have it raised",
    errno.EROFS: "Name a folder on a disk that can be written",
    errno.EACCES: "See to the permissions of this account",
    errno.EPERM: "See to the permissions of this account",
    errno.EIO: "See to the disk or the network file system: it cannot read or write",
    errno.ESTALE: "See to the network file system: it was mounted anew",
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
    errno.ENFILE: "See to the open files of this machine",
    errno.ENOMEM: "Give it more memory",
}
"""Errors of the operating system that no code of ours causes, and what mends them."""


def environment_error(error: OSError) -> DependencyError | None:
    """The error of a disk, a quota, a permission or a limit, for people; ``None`` for any other."""
    mend = _ENVIRONMENT.get(error.errno or 0)
    if mend is None:
        return None
    place = error.filename2 or error.filename
    return DependencyError(
        os.strerror(error.errno or 0), field=None if place is None else os.fsdecode(place), mend=mend, retryable=True
    )


def _shown(value: object) -> str:
    """A value as a user writes it: 5, where settings hold 5.0."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT
    return f"{value:.0f}" if whole else repr(value)


def _closed(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else sentence + "."
