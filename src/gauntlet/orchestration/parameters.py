"""Pipeline parameters: reading a file, validating against the spec, converting for Kubeflow Pipelines."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gauntlet.documents import read_settings_text
from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.graph import Spec

_LARGEST_EXACT = 2**53
"""Numbers inside lists and mappings are passed as doubles; a larger integer would be rounded."""

_TYPES = {
    "STRING": "text",
    "NUMBER_INTEGER": "a whole number",
    "NUMBER_DOUBLE": "a number",
    "BOOLEAN": "true or false",
    "LIST": "a list",
    "STRUCT": "a mapping",
}


def read_parameters(path: Path) -> dict[str, Any]:
    """Read a YAML or JSON file of parameters.

    Raises:
        ConfigurationError: it is missing, is not YAML, gives a key twice, or is not a mapping.
    """
    try:
        values = read_settings_text(path.read_text(encoding="utf-8-sig"), str(path))
        json.dumps(values, ensure_ascii=False, default=str, skipkeys=True).encode()
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(
            "cannot be read", field=str(path), value=reason, mend="Give a YAML or JSON file of parameters"
        ) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigurationError(
            "is not a mapping", field=str(path), value=values, mend="Write one line for each parameter: name: value"
        )
    return values


def check_parameters(spec: Spec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Validate parameters against a pipeline's declaration.

    Args:
        spec: the compiled pipeline.
        values: parameters as the user wrote them. A top-level ``null`` means the default.

    Returns:
        The parameters to pass, without those left to their defaults.

    Raises:
        ConfigurationError: a parameter is unknown, missing, of another type, or cannot be passed exactly.
    """
    declared = _declared(spec)
    kept = check_values(spec, values)
    for name, declaration in declared.items():
        if name not in kept and not declaration.get("isOptional"):
            meaning = declaration.get("description", "no description")
            raise ConfigurationError(
                f"is required: {meaning.rstrip('.')}", field=name, mend=f"Give {name} in the parameters"
            )
    return kept


def check_values(spec: Spec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Validate some of a pipeline's parameters; arguments and errors as ``check_parameters``, but none is missing."""
    declared = _declared(spec)
    for name in values:
        if name not in declared:
            close = difflib.get_close_matches(str(name), declared, n=1)
            mend = (
                f"Did you mean {close[0]!r}?"
                if close
                else f"Use one of: {', '.join(declared) or '(the pipeline takes none)'}"
            )
            raise ConfigurationError("unknown parameter", field="parameters", value=name, mend=mend)
    kept = {name: value for name, value in values.items() if value is not None}
    return {name: _typed(name, value, declared[name]["parameterType"]) for name, value in kept.items()}


def _declared(spec: Spec) -> Mapping[str, Any]:
    declared: Mapping[str, Any] = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    return declared


def _typed(name: str, value: Any, kind: str) -> Any:
    fits = {
        "STRING": isinstance(value, str),
        "NUMBER_INTEGER": _is_number(value) and float(value).is_integer(),
        "NUMBER_DOUBLE": _is_number(value),
        "BOOLEAN": isinstance(value, bool),
        "LIST": isinstance(value, list),
        "STRUCT": isinstance(value, dict),
    }
    if not fits[kind]:
        mend = f'Write {name}: "{value}"' if kind == "STRING" and not isinstance(value, list | dict) else ""
        raise ConfigurationError(f"must be {_TYPES[kind]}", field=name, value=value, mend=mend or f"Correct {name}")
    value = _with_text_keys(name, value)
    _require_portable(name, value)
    exact: Mapping[str, Callable[[Any], Any]] = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": float}
    return exact[kind](value) if kind in exact else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _with_text_keys(path: str, value: object) -> Any:
    """Write whole numbers and booleans among keys as text, since JSON has no others: 0 names the value 0 either way."""
    if isinstance(value, list):
        return [_with_text_keys(f"{path}[{position}]", part) for position, part in enumerate(value)]
    if not isinstance(value, dict):
        return value
    written: dict[object, Any] = {}
    for key, part in value.items():
        text = json.dumps(key) if isinstance(key, bool | int) else key
        if text in written:
            raise ConfigurationError("is given twice, as text and not", field=path, value=key, mend="Keep one of them")
        written[text] = _with_text_keys(f"{path}.{text}", part)
    return written


def _require_portable(path: str, value: object) -> None:
    """Reject values that JSON would lose or change on the way to a component."""
    match value:
        case str() | bool():
            return
        case int() if abs(value) <= _LARGEST_EXACT:
            return
        case float() if math.isfinite(value):
            return
        case list():
            for position, part in enumerate(value):
                _require_portable(f"{path}[{position}]", part)
            return
        case dict():
            for key, part in value.items():
                if not isinstance(key, str):
                    written = json.dumps(key, default=str).strip('"')  # true, not True
                    raise ConfigurationError("keys must be text", field=path, value=key, mend=f'Write "{written}": …')
                _require_portable(f"{path}.{key}", part)
            return
        case None:
            reason = "null cannot be passed through Kubeflow Pipelines"
            mend = "Remove the line; to disable an option, write false"
        case int():
            reason, mend = "is too large to be passed exactly", "Write it in quotes"
        case float():
            reason, mend = "is not a finite number", "Write it in quotes, or leave it out"
        case _:
            reason, mend = f"is a {type(value).__name__}, which JSON does not have", "Write it in quotes"
    raise ConfigurationError(reason, field=path, value=value, mend=mend)
