"""Settings given by users: frozen, typed, with nothing unknown let through.

Every policy and option block of Gauntlet is a ``Settings`` model. ``parse`` turns what a person wrote into one, or
into a ``ConfigurationError`` that names the field, the value and the mend.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from gauntlet.errors import ConfigurationError


class Settings(BaseModel):
    """Base of all settings: immutable, unknown keys refused, defaults checked by the same rules as a user's values.

    Kubeflow Pipelines cannot pass a null, so ``false`` says "none" wherever null is allowed and a boolean is not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _false_is_none(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        switched = {name for name, field in cls.model_fields.items() if _may_be_none(field.annotation)}
        return {key: None if value is False and key in switched else value for key, value in values.items()}


def _may_be_none(annotation: Any) -> bool:
    options = get_args(annotation)
    return type(None) in options and bool not in options


class SettingError(ValueError):
    """A model's own refusal of one of its settings, for validators: ``parse`` adds the path of the model itself.

    Args:
        message: one sentence saying what is wrong.
        at: path of the setting below the model.
        value: what was found there.
        mend: what to do about it, in the imperative.
        others: further refusals of the same model.
    """

    def __init__(
        self, message: str, *, at: Sequence[str | int], value: object, mend: str, others: Sequence[SettingError] = ()
    ) -> None:
        super().__init__(message)
        self.message, self.at, self.value, self.mend, self.others = message, tuple(at), value, mend, tuple(others)


class Refusals:
    """Collects what several checks of a model refuse, to refuse all of it at once."""

    def __init__(self) -> None:
        self._found: list[SettingError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Keep what the block refuses, and go on behind it."""
        try:
            yield
        except SettingError as error:
            self._found += [error, *error.others]

    def raise_all(self) -> None:
        """Refuse what was found.

        Raises:
            SettingError: the first, with the others.
        """
        if self._found:
            first, *others = self._found
            raise SettingError(first.message, at=first.at, value=first.value, mend=first.mend, others=others)


Model = TypeVar("Model", bound=Settings)


def parse(model: type[Model], values: Mapping[str, Any] | None, *, field: str) -> Model:
    """Check ``values`` against ``model``.

    Args:
        model: the settings class.
        values: what the user gave; ``None`` means all defaults.
        field: the name the user knows these settings by; prefixes every message.

    Raises:
        ConfigurationError: with the path of the first offending field, its value, and what would be accepted. An
            unknown key comes first: a misspelt key is often why another one is missing.
    """
    found = problems(model, values, field=field)
    if not found:
        return model.model_validate(dict(values or {}))
    first, others = found[0], len(found) - 1
    more = f" ({others} more like this)" if others else ""
    raise ConfigurationError(
        f"{first.message}{more}", field=first.field, value=first.value, mend=first.mend
    ) from first.__cause__


def problems(model: type[Settings], values: Mapping[str, Any] | None, *, field: str) -> list[ConfigurationError]:
    """Everything that ``parse`` would refuse, unknown keys first; one error a setting."""
    if values is not None and not isinstance(values, Mapping):
        example = next(iter(model.model_fields))
        mend = f"Write it with its keys, for example {example}: …"
        return [ConfigurationError("must be a mapping", field=field, value=values, mend=mend)]
    try:
        model.model_validate(dict(values or {}))
    except ValidationError as error:
        by_path: dict[tuple[int | str, ...], list[Any]] = {}
        for one in sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden"):
            by_path.setdefault(_written(one, dict(values or {})), []).append(one)
        return [one for path, same in by_path.items() for one in _refusals(model, path, same, field, error)]
    return []


def _written(one: Any, values: Any) -> tuple[int | str, ...]:
    """The path of an error in what the user wrote: without the members of unions and the words for a mapping's key."""
    path: list[int | str] = []
    for position, part in enumerate(one["loc"]):
        last_of_missing = one["type"] == "missing" and position == len(one["loc"]) - 1
        keys = values if isinstance(values, Mapping) else range(len(values)) if isinstance(values, list | tuple) else ()
        if part in keys:
            values = values[part]
        elif not last_of_missing:
            continue
        path.append(part)
    return tuple(path)


def _refusals(
    model: type[Settings], path: tuple[int | str, ...], same: Sequence[Any], field: str, cause: Exception
) -> Iterator[ConfigurationError]:
    """What is wrong in one place: a union says so once a member, a model's own check once a setting."""
    first, place = same[0], ".".join([field, *map(str, path)])
    own = first.get("ctx", {}).get("error")
    if isinstance(own, SettingError):
        for one in (own, *own.others):
            where = ".".join([place, *map(str, one.at)])
            yield _caused(ConfigurationError(one.message, field=where, value=one.value, mend=one.mend), cause)
    elif first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        mend = _suggest(model, first["loc"], key)
        yield _caused(ConfigurationError("unknown key", field=place, value=key, mend=mend), cause)
    elif first["type"] == "missing":
        yield _caused(ConfigurationError("is required", field=place, mend=f"Give {place}"), cause)
    else:
        message = " or ".join(dict.fromkeys(_lowered(one["msg"].removeprefix("Value error, ")) for one in same))
        limits = _limits_at(model, first["loc"]) if first["type"] in _BEYOND else ""
        mend = f"Give {limits}" if limits else f"Correct {place}"
        yield _caused(ConfigurationError(message, field=place, value=first["input"], mend=mend), cause)


def _caused(error: ConfigurationError, cause: Exception) -> ConfigurationError:
    error.__cause__ = cause
    return error


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _suggest(model: type[BaseModel], location: tuple[int | str, ...], key: str) -> str:
    known = _fields_at(model, location[:-1])
    if not known:
        return "Remove it"
    close = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(sorted(known))}"


_BEYOND = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
_BOUNDS = (
    (("exclusiveMinimum", "more than {}"), ("minimum", "{} or more")),
    (("exclusiveMaximum", "less than {}"), ("maximum", "{} at most")),
)


def _limits_at(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """The range of the number at a location, in words; empty where it cannot be followed."""
    _, node = _node_at(model, location)
    return next(filter(None, map(range_of, (node or {}, *(node or {}).get("anyOf", ())))), "")


def range_of(node: Mapping[str, Any]) -> str:
    """The range of a number, from its part of a JSON schema, in words; empty where there is none.

    >>> range_of({"minimum": 0, "maximum": 1.0}), range_of({"exclusiveMinimum": 0.5})
    ('0 to 1', 'more than 0.5')
    """
    written = {key: f"{node[key]:.15g}" for side in _BOUNDS for key, _ in side if key in node}
    if {"minimum", "maximum"} <= written.keys():
        return f"{written['minimum']} to {written['maximum']}"
    return " and ".join(words.format(written[key]) for side in _BOUNDS for key, words in side if key in written)


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Names accepted at a location, as far as plain nesting and mappings let us follow it."""
    schema, node = _node_at(model, location)
    return [] if node is None else list(_resolve(schema, node).get("properties", {}))


def _node_at(model: type[BaseModel], location: tuple[int | str, ...]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """A model's JSON schema, and its part at a location; ``None`` where that cannot be followed."""
    schema: dict[str, Any] = model.model_json_schema()
    node = schema
    for part in location:
        node = _resolve(schema, node)
        if str(part) in node.get("properties", {}):
            node = node["properties"][str(part)]
        elif isinstance(node.get("additionalProperties"), dict):
            node = node["additionalProperties"]
        elif "items" in node:
            node = node["items"]
        else:
            return schema, None
    return schema, node


def _resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    for option in (*node.get("anyOf", ()), *node.get("allOf", ())):
        if "$ref" in option or "properties" in option or "additionalProperties" in option:
            node = option
            break
    if "$ref" in node:
        return dict(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    return node
