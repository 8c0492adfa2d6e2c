import pytest

from gauntlet.delivery.retry import Retry, retry_on_conflict
from gauntlet.errors import ServiceBusy


class Writer:
    """Is overtaken so many times, and writes then."""

    def __init__(self, overtaken: int) -> None:
        self.overtaken, self.attempts = overtaken, 0

    def __call__(self) -> str:
        self.attempts += 1
        if self.attempts <= self.overtaken:
            raise Retry
        return "written"


def test_an_attempt_that_is_overtaken_is_made_again():
    writer, pauses = Writer(overtaken=2), []
    done = retry_on_conflict(writer, attempts=3, field="x", mend="y", pause=lambda: pauses.append(0.5))
    assert (done, writer.attempts, pauses) == ("written", 3, [0.5, 0.5])


def test_after_the_last_attempt_the_caller_hears_who_is_busy():
    with pytest.raises(ServiceBusy) as caught:
        retry_on_conflict(Writer(overtaken=3), attempts=3, field="service", mend="Stop the other process")
    assert caught.value.retryable
    assert caught.value.field == "service"
    assert "during each of 3 attempts" in str(caught.value)


def test_any_other_error_is_not_retried():
    def attempt() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        retry_on_conflict(attempt, attempts=3, field="x", mend="y")
