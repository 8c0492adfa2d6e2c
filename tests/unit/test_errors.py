import errno
import os
import re

import pytest

from gauntlet import errors


def test_a_message_names_field_value_and_mend():
    error = errors.ConfigurationError("must be at most 1", field="policy.confidence", value=95, mend="Give 0.95")

    assert str(error) == "policy.confidence: must be at most 1; found 95. Give 0.95."


def test_a_long_value_is_shortened():
    error = errors.DataError("is not JSON", field="row 3", value="x" * 5_000)

    assert len(str(error)) < 300
    assert str(error).endswith("….")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(5.0, "5"), (-3.0, "-3"), (0.5, "0.5"), (1e300, "1e+300"), (float("nan"), "nan"), ("5.0", "'5.0'")],
)
def test_a_whole_number_is_shown_whole(value, shown):
    assert str(errors.DataError("x", value=value)) == f"x; found {shown}."


def test_a_bare_message_is_a_sentence():
    assert str(errors.InternalError("A promise does not hold")) == "A promise does not hold."


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [
        (errors.GateStopped, 1),
        (errors.ConfigurationError, 2),
        (errors.DataError, 2),
        (errors.BrokenArtifact, 3),
        (errors.JournalUnreadable, 3),
        (errors.DependencyError, 3),
        (errors.InternalError, 3),
    ],
)
def test_the_exit_code_says_who_acts(kind, exit_code):
    assert kind("x").exit_code == exit_code
    assert issubclass(kind, errors.GauntletError)


def kinds():
    """The errors that stand directly below the base: who has to act."""
    return errors.GauntletError.__subclasses__()


def test_every_kind_of_error_has_a_code_of_its_own():
    codes = [vars(kind).get("code", "") for kind in kinds()]
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes), codes
    assert len(set(codes)) == len(codes)


def test_what_is_below_a_kind_keeps_its_code_or_refines_it():
    class NotFound(errors.DataError):
        code = "data.not_found"

    below = [(kind, one) for kind in kinds() for one in kind.__subclasses__()]
    assert (errors.DataError, NotFound) in below
    assert not [one for kind, one in below if one.code != kind.code and not one.code.startswith(f"{kind.code}.")]


def test_the_tree_in_the_docstring_shows_each_with_its_code_and_exit_code():
    drawn = re.findall(r"^    [├└]── (\w+) +([a-z_]+) +(\d)", errors.__doc__, re.MULTILINE)
    assert set(drawn) == {(kind.__name__, kind.code, str(kind.exit_code)) for kind in kinds()}


def test_an_error_is_told_to_programs_by_its_code():
    found = errors.DataError("is not JSON", field="row 3", value="x", mend="Write it again")
    assert found.to_json() == {
        "code": "data",
        "exit_code": 2,
        "field": "row 3",
        "error": "DataError: row 3: is not JSON; found 'x'. Write it again.",
    }


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("ENOSPC", "Free disk space"),
        ("EDQUOT", "quota"),
        ("EROFS", "can be written"),
        ("EIO", "See to the disk"),
        ("EACCES", "permissions"),
        ("EMFILE", "ulimit -n"),
    ],
)
def test_what_the_system_lacks_is_told_with_its_mend(name, mend):
    number = getattr(errno, name)
    found = errors.environment_error(OSError(number, os.strerror(number), b"runs/one", None, "runs/two"))
    assert isinstance(found, errors.DependencyError)
    assert (found.field, found.retryable) == ("runs/two", True)
    assert os.strerror(number) in str(found)
    assert mend in found.mend


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "no", "x"), ConnectionResetError(104, "x"), OSError()]
)
def test_what_may_be_ours_is_no_fault_of_the_system(error):
    assert errors.environment_error(error) is None
