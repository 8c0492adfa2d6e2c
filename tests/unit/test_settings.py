import pytest
from pydantic import Field, model_validator

from gauntlet.errors import ConfigurationError
from gauntlet.settings import Refusals, SettingError, Settings, parse, problems


class Bound(Settings):
    minimum: float | None = Field(None, ge=0, le=1)


class Policy(Settings):
    confidence: float = Field(0.95, gt=0, lt=1)
    metrics: dict[str, Bound] = {}
    primary: Bound = Bound()
    name: str = Field("x", min_length=1)


class Required(Settings):
    label: str


def test_defaults_need_no_values():
    assert parse(Policy, None, field="policy") == parse(Policy, {}, field="policy") == Policy()


def test_whole_floats_are_ints_because_kfp_sends_them_so():
    class Count(Settings):
        rows: int

    assert parse(Count, {"rows": 100.0}, field="policy").rows == 100


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"confidnce": 0.9}, "policy.confidnce: unknown key; found 'confidnce'. Did you mean 'confidence'?"),
        ({"zzz": 1}, "policy.zzz: unknown key; found 'zzz'. Use one of: confidence, metrics, name, primary."),
        (
            {"metrics": {"auc": {"minimun": 0.8}}},
            "policy.metrics.auc.minimun: unknown key; found 'minimun'. Did you mean 'minimum'?",
        ),
        (
            {"primary": {"minimun": 0.8}},
            "policy.primary.minimun: unknown key; found 'minimun'. Did you mean 'minimum'?",
        ),
        (
            {"confidence": 95},
            "policy.confidence: input should be less than 1; found 95. Give more than 0 and less than 1.",
        ),
    ],
)
def test_an_error_names_the_path_the_value_and_the_mend(values, message):
    with pytest.raises(ConfigurationError) as caught:
        parse(Policy, values, field="policy")

    assert str(caught.value) == message


def test_a_missing_field_is_named():
    with pytest.raises(ConfigurationError) as caught:
        parse(Required, {}, field="roles")

    assert str(caught.value) == "roles.label: is required. Give roles.label."


def test_a_misspelt_key_is_named_before_the_one_it_leaves_missing():
    with pytest.raises(ConfigurationError, match=r"^roles\.lable: unknown key \(1 more like this\).*'label'\?$"):
        parse(Required, {"lable": "y"}, field="roles")


@pytest.mark.parametrize("values", ["y.csv", ["y"], 3])
def test_what_is_no_mapping_is_named(values):
    with pytest.raises(ConfigurationError) as caught:
        parse(Required, values, field="sources[0]")

    assert str(caught.value) == (
        f"sources[0]: must be a mapping; found {values!r}. Write it with its keys, for example label: …."
    )


def test_further_errors_are_counted():
    with pytest.raises(ConfigurationError, match="1 more like this"):
        parse(Policy, {"a": 1, "b": 2}, field="policy")


class Switched(Settings):
    limit: float | None = 2.0
    block: Required | None = None
    kept: bool | None = True


def test_false_says_none_where_null_is_allowed_and_a_boolean_is_not():
    switched = parse(Switched, {"limit": False, "block": False, "kept": False}, field="policy")

    assert (switched.limit, switched.block, switched.kept) == (None, None, False)


class Either(Settings):
    value: str | int | bool | None = None
    shares: dict[str, dict[str, float]] = {}


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"value": [1]}, "policy.value", "input should be a valid string or input should be a valid integer"),
        ({"shares": {"a": {"b": "x"}}}, "policy.shares.a.b", "input should be a valid number"),
        ({"shares": {"a": [1]}}, "policy.shares.a", "input should be a valid dictionary"),
    ],
)
def test_a_path_is_one_of_keys_that_can_be_written(values, path, message):
    """Pydantic's own path names the members of a union as well: value.str, value.int."""
    with pytest.raises(ConfigurationError) as caught:
        parse(Either, values, field="policy")
    assert caught.value.field == path
    assert caught.value.message.startswith(message)
    assert "more like this" not in caught.value.message


class Judged(Settings):
    limits: dict[str, float] = {}

    @model_validator(mode="after")
    def _below_one(self):
        refusals = Refusals()
        for name, limit in self.limits.items():
            with refusals.noted():
                if limit >= 1:
                    raise SettingError("limits nothing", at=("limits", name), value=limit, mend="Give less than 1")
        refusals.raise_all()
        return self


class Judging(Settings):
    judged: Judged = Judged()
    rows: int = Field(1, ge=1)


def test_a_models_own_refusal_names_the_setting_below_it():
    with pytest.raises(ConfigurationError) as caught:
        parse(Judging, {"judged": {"limits": {"gap": 10}}}, field="policy")
    assert str(caught.value) == "policy.judged.limits.gap: limits nothing; found 10. Give less than 1."


def test_everything_that_is_wrong_is_known_at_once():
    wrong = {"judged": {"limits": {"gap": 10, "sd": 0.5, "margin": 2}}, "rows": 0, "row": 1}
    found = problems(Judging, wrong, field="policy")
    judged = [f"policy.judged.limits.{name}" for name in ("gap", "margin")]
    assert [one.field for one in found] == ["policy.row", *judged, "policy.rows"]
    assert found[-1].mend == "Give 1 or more"
    with pytest.raises(ConfigurationError, match=r"policy\.row: unknown key \(3 more like this\)"):
        parse(Judging, wrong, field="policy")
    assert problems(Judging, {"rows": 2}, field="policy") == []
