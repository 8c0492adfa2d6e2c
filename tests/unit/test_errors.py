import pytest

from gauntlet import errors


def test_a_message_names_field_value_and_mend():
    error = errors.ConfigurationError("must be at most 1", field="policy.confidence", value=95, mend="Give 0.95")

    assert str(error) == "policy.confidence: must be at most 1; found 95. Give 0.95."


def test_a_long_value_is_shortened():
    error = errors.DataError("is not JSON", field="row 3", value="x" * 5_000)

    assert len(str(error)) < 300
    assert str(error).endswith("….")


def test_a_bare_message_is_a_sentence():
    assert str(errors.InternalError("A promise does not hold")) == "A promise does not hold."


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [
        (errors.GateStopped, 1),
        (errors.ConfigurationError, 2),
        (errors.DataError, 3),
        (errors.DependencyError, 3),
        (errors.InternalError, 3),
    ],
)
def test_the_exit_code_says_who_acts(kind, exit_code):
    assert kind("x").exit_code == exit_code
    assert issubclass(kind, errors.GauntletError)
