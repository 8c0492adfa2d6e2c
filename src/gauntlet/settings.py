"""Settings given by users: frozen, typed, with nothing unknown let through.

Every policy and option block of Gauntlet is a ``Settings`` model. ``parse`` turns what a person wrote into one, or
into a ``ConfigurationError`` that names the field, the value and the mend.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
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
    if values is not None and not isinstance(values, Mapping):
        example = next(iter(model.model_fields))
        raise ConfigurationError(
            "must be a mapping", field=field, value=values, mend=f"Write it with its keys, for example {example}: …"
        )
    try:
        return model.model_validate(dict(values or {}))
    except ValidationError as error:
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        path = ".".join([field, *(str(part) for part in first["loc"])])
        others = error.error_count() - 1
        more = f" ({others} more like this)" if others else ""
        if first["type"] == "extra_forbidden":
            key = str(first["loc"][-1])
            raise ConfigurationError(
                f"unknown key{more}", field=path, value=key, mend=_suggest(model, first["loc"], key)
            ) from error
        if first["type"] == "missing":
            raise ConfigurationError(f"is required{more}", field=path, mend=f"Give {path}") from error
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            message[0].lower() + message[1:] + more, field=path, value=first["input"], mend=f"Correct {path}"
        ) from error


def _suggest(model: type[BaseModel], location: tuple[int | str, ...], key: str) -> str:
    known = _fields_at(model, location[:-1])
    if not known:
        return "Remove it"
    close = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(sorted(known))}"


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Names accepted at a location, as far as plain nesting and mappings let us follow it."""
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
            return []
    return list(_resolve(schema, node).get("properties", {}))


def _resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    for option in (*node.get("anyOf", ()), *node.get("allOf", ())):
        if "$ref" in option or "properties" in option or "additionalProperties" in option:
            node = option
            break
    if "$ref" in node:
        return dict(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    return node
