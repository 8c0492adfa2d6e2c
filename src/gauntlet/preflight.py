"""Everything a training run is configured with, checked before anything is read or spent.

Each component checks its own settings when its turn comes; that is late for a misspelt key in the last gate's policy.
This module knows which settings model stands behind which parameter; those of gates come from the table of gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from gauntlet.data.objects.schemes import store_of
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.schema_inference import InferencePolicy
from gauntlet.data.split import SplitOptions
from gauntlet.delivery.analysis.labels import OutcomesSource, with_labels
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.counters.prometheus.source import PrometheusPlan
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.targets.service import require_address
from gauntlet.errors import ConfigurationError
from gauntlet.gates import Gate, Stage, gates_before
from gauntlet.preflight_rules import Run, broken_rules
from gauntlet.registry.aliases import parse_promote
from gauntlet.registry.enforcement import EnforcementPolicy, require_known_gates
from gauntlet.registry.store import require_model_name
from gauntlet.settings import Settings, parse, problems
from gauntlet.training.device import require_device_name
from gauntlet.training.recipe import Recipe


def settings_of(gate: Gate) -> type[Settings]:
    """The settings model behind a gate's parameter."""
    module, _, name = gate.settings.partition(":")
    model: type[Settings] = getattr(import_module(module), name)
    return model


def _settings_before(*stages: Stage) -> dict[str, type[Settings]]:
    return {gate.parameter: settings_of(gate) for gate in gates_before(*stages)}


SETTINGS: Mapping[str, type[Settings]] = {
    "roles": Roles,
    "reader": ReaderOptions,
    "split": SplitOptions,
    "schema_inference": InferencePolicy,
    **_settings_before(Stage.TRAINING),
    "recipe": Recipe,
    **_settings_before(Stage.MERGING, Stage.REGISTERING),
    "enforcement_policy": EnforcementPolicy,
}
DELIVERY_SETTINGS: Mapping[str, type[Settings]] = {
    "roles": Roles,
    "reader": ReaderOptions,
    "rollout_plan": RolloutPlan,
    **_settings_before(Stage.PRODUCTION),
    "prometheus": PrometheusPlan,
    "outcomes": OutcomesSource,
    "enforcement_policy": EnforcementPolicy,
}
_MOST_SHOWN = 20
_NONE_WHERE_EMPTY = ("prometheus", "outcomes")
"""Blocks that say where something is; empty, there is none."""


def check_training_settings(
    settings: Mapping[str, Mapping[str, Any]],
    *,
    model_name: str,
    promote: str,
    device: str,
    run: Run = Run(),  # noqa: B008  # frozen
) -> None:
    """Check the parameters of a training run.

    Args:
        settings: parameter name → what the user gave, for parameters named in ``SETTINGS``.
        model_name: name of the registered model.
        promote: who becomes champion.
        device: where to train.
        run: what is beside these.

    Raises:
        ConfigurationError: for everything that cannot be used, by the parameters' own names.
    """
    parsed, found = _parsed(settings, SETTINGS)
    found += broken_rules(parsed, run)
    for check in (
        lambda: require_model_name(model_name),
        lambda: parse_promote(promote),
        lambda: require_device_name(device),
    ):
        found += _raised(check)
    _raise(found)


def _parsed(
    settings: Mapping[str, Mapping[str, Any]], models: Mapping[str, type[Settings]]
) -> tuple[dict[str, Settings], list[ConfigurationError]]:
    """Blocks of settings that are well written, and what is wrong with the others."""
    parsed: dict[str, Settings] = {}
    found: list[ConfigurationError] = []
    for name, values in settings.items():
        wrong = problems(models[name], values, field=name)
        found += wrong
        if not wrong:
            parsed[name] = parse(models[name], values, field=name)
    enforcement = parsed.get("enforcement_policy")
    if isinstance(enforcement, EnforcementPolicy):
        found += _raised(lambda: require_known_gates(enforcement, field="enforcement_policy"))
    return parsed, found


def _raised(check: Callable[[], object]) -> list[ConfigurationError]:
    try:
        check()
    except ConfigurationError as error:
        return [error]
    return []


def _raise(found: Sequence[ConfigurationError]) -> None:
    """Raise what was found as one error: the first as it is, the others after it."""
    if not found:
        return
    first, *others = found
    if not others:
        raise first
    also = " ".join(f"({number}) {error}" for number, error in enumerate(others[:_MOST_SHOWN], start=2))
    more = f" And {len(others) - _MOST_SHOWN} more." if len(others) > _MOST_SHOWN else ""
    mend = f"{(first.mend or '').rstrip('.')}. Wrong as well: {also}{more}"
    raise ConfigurationError(first.message, field=first.field, value=first.value, mend=mend) from first.__cause__


def check_delivery_settings(settings: Mapping[str, Mapping[str, Any]], *, service: str, staging: str) -> None:
    """Check the parameters of a delivery.

    Args:
        settings: parameter name → what the user gave, for parameters named in ``DELIVERY_SETTINGS``.
        service: address of the service in production.
        staging: address of the service in staging.

    Raises:
        ConfigurationError: for everything that cannot be used, by the parameters' own names.
    """
    given = {name: values for name, values in settings.items() if values or name not in _NONE_WHERE_EMPTY}
    parsed, found = _parsed(given, DELIVERY_SETTINGS)
    _raise(found)
    analysis, labels = parsed.get("analysis"), parsed.get("outcomes")
    if isinstance(analysis, AnalysisPlan):
        with_labels(analysis, labels if isinstance(labels, OutcomesSource) else None)
    if isinstance(labels, OutcomesSource):
        store_of(labels.uri, field="outcomes.uri")  # refuses what no store is for; opens nothing
    for field, address in (("service", service), ("staging", staging)):
        require_address(address, field=field)
    if service == staging:
        raise ConfigurationError(
            "is the service in production: a version would answer callers before it was tried",
            field="staging",
            value=staging,
            mend="Name a service of its own",
        )
