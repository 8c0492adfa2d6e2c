"""Several things wrong with one set of data, said at once: a new file does not need a round for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gauntlet.errors import DataError

MOST_SAID = 10


def check_all(checks: Iterable[Callable[[], object]]) -> None:
    """Run checks that do not need one another.

    Raises:
        DataError: what the first found, and after it what the others did.
    """
    found: list[DataError] = []
    for check in checks:
        try:
            check()
        except DataError as error:
            found.append(error)
    if not found:
        return
    first, *others = found
    if not others:
        raise first
    also = " ".join(f"({number}) {error}" for number, error in enumerate(others[:MOST_SAID], start=2))
    more = f" And {len(others) - MOST_SAID} more." if len(others) > MOST_SAID else ""
    mend = f"{(first.mend or '').rstrip('.')}. Wrong as well: {also}{more}"
    raise DataError(first.message, field=first.field, value=first.value, mend=mend) from first


def raise_it(error: DataError) -> None:
    """A check that has failed already."""
    raise error
