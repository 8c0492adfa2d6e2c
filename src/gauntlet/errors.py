"""What can go wrong, sorted by who has to act.

    GauntletError                 exit   who acts
    ├── ConfigurationError          2    the user: a parameter, a policy, a name
    ├── DataError                   3    whoever owns the data
    ├── DependencyError             3    a service we call is missing or failing (``retryable`` says if waiting helps)
    ├── InternalError               3    us
    └── GateStopped                 1    nobody: a gate did its work (raised by ``enforce_gates`` alone)

A failed gate is a verdict, never an exception; only enforcement turns verdicts into a stop. Every error names the
field, the value found and the mend, and prints as one readable paragraph.
"""

from __future__ import annotations

EXIT_PASS = 0
EXIT_STOPPED = 1
EXIT_USAGE = 2
EXIT_BROKEN = 3

_LONGEST_VALUE = 200


class GauntletError(Exception):
    """Base of every error Gauntlet raises on purpose.

    Args:
        message: one sentence saying what is wrong.
        field: the parameter, column, file or option concerned.
        value: what was found there; shortened for display.
        mend: what to do about it, in the imperative.
    """

    exit_code = EXIT_BROKEN

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
            text = repr(self.value)
            parts.append(f"found {text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '…'}")
        sentence = _closed("; ".join(part.rstrip(".") for part in parts))
        return f"{sentence} {_closed(self.mend)}" if self.mend else sentence


class ConfigurationError(GauntletError):
    """A parameter, policy or name given by the user cannot be used."""

    exit_code = EXIT_USAGE


class DataError(GauntletError):
    """The data cannot be read, or is not what it was declared to be."""


class DependencyError(GauntletError):
    """A service or tool outside Gauntlet is missing or failing."""

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


class GateStopped(GauntletError):
    """The verdicts say this run must not go on. Raised by ``enforce_gates`` alone."""

    exit_code = EXIT_STOPPED


def _closed(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else sentence + "."
