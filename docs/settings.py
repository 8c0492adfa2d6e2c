"""Writes docs/settings.md from the settings models, the compiled pipelines and the catalogue of metrics: ``make docs``.

Tests fail when the page is not up to date, when a parameter has no example, or when a run would refuse an example.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gauntlet.documents import read_settings_text
from gauntlet.evaluation.comparison import DEFAULT_PRIMARY
from gauntlet.evaluation.fairness import DEFAULT_LIMITS
from gauntlet.evaluation.limits import TASKS, known_metrics, span, tasks_with
from gauntlet.evaluation.policies import CRITERIA
from gauntlet.features.contract_changes import DEFAULTS as CONTRACT_DEFAULTS
from gauntlet.preflight import DELIVERY_SETTINGS, SETTINGS
from gauntlet.settings import Settings, range_of

PAGE = Path(__file__).with_name("settings.md")
COMPILED = PAGE.parents[1] / "pipelines" / "compiled"
EXAMPLES = PAGE.with_name("settings_examples.yaml")
INTRODUCTION = """# Settings

What can be written in a file of parameters (`gauntlet run continuous_training --params params.yaml`): first the
parameters of each pipeline, then the keys of those that are blocks, and the names of metrics and fairness criteria.
Only `data`, `roles` and `model_name` have to be given to train:

```yaml
model_name: loans
data: [{uri: loans.csv}]
roles: {label: repaid}
```

A key that is not listed here, a key given twice, a limit that no model could break and a metric of another task are
refused in the first second of a run. A number is read as it is written (YAML 1.2: `no` and `on` are text). `false` says
"none" where a setting may be empty. This page is written by `make docs`.
"""

MODELS: dict[str, type[Settings]] = {**SETTINGS, **DELIVERY_SETTINGS}


PIPELINES = {
    "continuous_training": "From data to a registered version.",
    "continuous_integration": "What a change of code, data or settings has to get through, on a sample.",
    "continuous_delivery": "From a registered version to all of production's requests.",
    "train_and_deliver": "All of `continuous_training` and `continuous_delivery`, but `promote` and `version`.",
    "deployment_watch": "One more analysis of what was promoted; on a schedule.",
    "rollback": "Whatever was rolled out last goes back to the version before.",
}
"""Pipeline → what it is, in the order of the page."""
_METRICS = """Names for `performance_policy.metrics`, `slices_policy.performance`, `champion_policy`,
`stability_policy.max_seed_sd` and `training_policy.floor`. w: weight, y: label, s: score."""
_FAIRNESS = """Names for `slices_policy.fairness`. `max_gap` limits the difference of the metric between a slice and its
reference, `min_ratio` the ratio of the lower to the higher."""
_TYPES = {
    "STRING": "text",
    "NUMBER_INTEGER": "whole number",
    "NUMBER_DOUBLE": "number",
    "BOOLEAN": "true or false",
    "LIST": "list",
    "STRUCT": "block",
}


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, *_parameters(), *(_section(name) for name in MODELS), _metrics(), _fairness(), _defaults()]
    return "\n".join(parts)


def parameters(pipeline: str) -> dict[str, Any]:
    """Declared parameters of a compiled pipeline, those that have to be given first."""
    spec = next(yaml.safe_load_all((COMPILED / f"{pipeline}.yaml").read_text()))
    declared: dict[str, Any] = spec["root"]["inputDefinitions"]["parameters"]
    return dict(sorted(declared.items(), key=lambda one: bool(one[1].get("isOptional"))))


def examples() -> dict[str, Any]:
    """An example of every parameter."""
    found: dict[str, Any] = read_settings_text(EXAMPLES.read_text(), EXAMPLES.name)
    return found


def _parameters() -> Iterator[str]:
    """A table a pipeline; what an earlier one has already said is not said again."""
    written = {line.partition(":")[0]: line for line in EXAMPLES.read_text().splitlines()}
    told: set[str] = set()
    for pipeline, summary in PIPELINES.items():
        own = {name: declared for name, declared in parameters(pipeline).items() if name not in told}
        told |= own.keys()
        yield f"## Parameters of `{pipeline}`\n\n{summary}"
        if pipeline == "train_and_deliver":
            yield ""
            continue
        shared = sorted(parameters(pipeline).keys() - own.keys())
        if shared:
            yield f"As above: {', '.join(f'`{name}`' for name in shared)}."
        yield "\n| parameter | type | default | meaning | example |\n|---|---|---|---|---|"
        for name, declared in own.items():
            kind = _TYPES[declared["parameterType"]]
            kind = f"[{kind}](#{name})" if name in MODELS else kind
            meaning = " ".join(declared.get("description", "").split()).replace("|", "\\|")
            example = written.get(name) or _own_example(name)
            yield f"| `{name}` | {kind} | {_default(declared)} | {meaning} | `{example}` |"
        yield ""


def _own_example(name: str) -> str:
    """Of a block of settings that has none in ``EXAMPLES``, as a new gate has not: a key with its default."""
    for key, field in MODELS[name].model_fields.items():
        if isinstance(field.default, bool | int | float | str):
            return f"{name}: {{{key}: {json.dumps(field.default)}}}"
    return f"{name}: {{}}"


def _default(declared: dict[str, Any]) -> str:
    if not declared.get("isOptional"):
        return "has to be given"
    default = declared.get("defaultValue")
    if declared["parameterType"] == "NUMBER_INTEGER":
        default = int(default)
    return "its own defaults" if default == {} else "none" if default in ([], "", None) else f"`{json.dumps(default)}`"


def _metrics() -> str:
    lines = [
        "## Metrics",
        "",
        _METRICS,
        "",
        "| name | models | formula | range | better |",
        "|---|---|---|---|---|",
    ]
    for name, metric in known_metrics().items():
        better = {"higher": "higher", "lower": "lower", "zero": "near 0"}[metric.direction.value]
        definition = metric.definition.replace("|", "\\|")
        lines.append(f"| `{name}` | {', '.join(tasks_with(name))} | {definition} | {span(metric)} | {better} |")
    return "\n".join([*lines, ""])


def _fairness() -> str:
    lines = [
        "## Fairness criteria",
        "",
        _FAIRNESS,
        "",
        "| name | models | has to be alike in all slices |",
        "|---|---|---|",
    ]
    criteria = dict.fromkeys(name for task in TASKS for name in CRITERIA[task])
    for criterion in criteria:
        for tasks, metrics in _alike(criterion).items():
            said = "; ".join(f"`{name}`: {known_metrics()[name].definition}" for name in metrics.split(", "))
            lines.append(f"| `{criterion}` | {tasks} | {said} |")
    return "\n".join([*lines, ""])


def _alike(criterion: Any) -> dict[str, str]:
    """Tasks → metrics; one row where tasks agree."""
    by_metrics: dict[str, list[str]] = {}
    for task in TASKS:
        if criterion in CRITERIA[task]:
            by_metrics.setdefault(", ".join(CRITERIA[task][criterion]), []).append(task)
    return {", ".join(tasks): metrics for metrics, tasks in by_metrics.items()}


def _defaults() -> str:
    lines = [
        "## Defaults that depend on the task",
        "",
        "| task | `champion_policy.primary` | `slices_policy` without a limit (warns, never blocks) |",
        "|---|---|---|",
        *(f"| {task} | `{_flow(DEFAULT_PRIMARY[task])}` | `{_flow(DEFAULT_LIMITS[task])}` |" for task in TASKS),
        "",
        "`features_policy.contract.severity`: "
        + ", ".join(f"{kind.value} `{severity}`" for kind, severity in CONTRACT_DEFAULTS.items())
        + ".",
        "",
    ]
    return "\n".join(lines)


def _flow(value: Any) -> str:
    """A value as one line of YAML."""
    plain = json.loads(json.dumps(value, default=dict))
    return str(yaml.safe_dump(plain, default_flow_style=True, sort_keys=False, width=10_000)).strip()


def _section(name: str) -> str:
    schema = MODELS[name].model_json_schema()
    summary = (MODELS[name].__doc__ or "").strip().splitlines()[0]
    lines = [
        f"## `{name}`",
        "",
        f"{summary.replace('``', '`')} (`{MODELS[name].__module__}.{MODELS[name].__name__}`)",
        "",
        "| key | type | default | meaning |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *_rows(schema, schema, prefix=""), ""])


def _rows(root: dict[str, Any], node: dict[str, Any], prefix: str) -> Iterator[str]:
    for key, field in node.get("properties", {}).items():
        default = "" if key in node.get("required", ()) else f"`{json.dumps(field.get('default'))}`"
        # What is inside a block has a row of its own.
        default = (
            "see below"
            if '"' in default and isinstance(field.get("default"), dict) and _nested_fields(root, field)
            else default
        )
        meaning = field.get("description", "").replace("``", "`").replace("|", "\\|")
        yield f"| `{prefix}{key}` | {_type(root, field)} | {default} | {meaning} |"
        for nested, place in _nested(root, field):
            yield from _rows(root, nested, f"{prefix}{key}.{place}")


def _nested_fields(root: dict[str, Any], field: dict[str, Any]) -> bool:
    return any(place == "" for _, place in _nested(root, field))


def _nested(root: dict[str, Any], field: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Settings models inside a field, and what stands between: nothing, or the user's own key."""
    for option in (field, *field.get("anyOf", ()), *field.get("allOf", ())):
        if "$ref" in option:
            yield _follow(root, option), ""
        if "$ref" in option.get("items", {}):
            yield _follow(root, option["items"]), "<n>."
        values = option.get("additionalProperties")
        if isinstance(values, dict) and "$ref" in values:
            yield _follow(root, values), "<name>."


def _type(root: dict[str, Any], field: dict[str, Any]) -> str:
    if "$ref" in field:
        return _type(root, _follow(root, field))
    if "anyOf" in field:
        return " or ".join(_type(root, option) for option in field["anyOf"] if option.get("type") != "null")
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    kind = str(field.get("type", "any"))
    if kind == "array" and "items" in field:
        return f"list of {_type(root, field['items'])}"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        keys = field.get("propertyNames", {})
        keys = _follow(root, keys) if "$ref" in keys else keys
        names = f"of {', '.join(f'`{key}`' for key in keys['enum'])} " if "enum" in keys else ""
        return f"mapping {names}to {_type(root, field['additionalProperties'])}"
    limits = range_of(field)
    return {"object": "block", "integer": "whole number"}.get(kind, kind) + (f", {limits}" if limits else "")


def _follow(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = root["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return found


if __name__ == "__main__":
    PAGE.write_text(page())
