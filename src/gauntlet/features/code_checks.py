"""Checks of feature code without stored values: its contract and its properties."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gauntlet.errors import DataError
from gauntlet.features.contract import FeatureContract, contract_of_model, contract_of_rows
from gauntlet.features.contract_changes import ChangeKind, ContractPolicy, compare_contracts
from gauntlet.features.inputs import OpenInputs
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.properties.checks import check_properties
from gauntlet.features.properties.fresh import FreshProcess
from gauntlet.features.span import readable, rows_of
from gauntlet.settings import parse
from gauntlet.verdict import Check, Status

if TYPE_CHECKING:
    import pyarrow as pa

_COVERED_BY_REPLAY = {kind.value: "pass" for kind in ChangeKind if kind not in (ChangeKind.GONE, ChangeKind.TYPE)}
"""Severities against a store, whose values the replay compares row by row."""


def contract_checks(opened: OpenInputs, policy: FeaturesPolicy) -> list[Check]:
    """Compare the candidate's contract with the champion's, and the code's with the store's."""
    inputs = opened.inputs
    checks: list[Check] = []
    if inputs.champion is not None:
        try:
            before = contract_of_model(inputs.champion, "the champion")
            after = contract_of_model(inputs.model, "the candidate")
        except DataError as error:  # a model without a signature can score, but has no contract
            reason = f"What the models read could not be compared: {error}"
            checks.append(Check("contract", Status.INCONCLUSIVE, reason, code="check_features.contract"))
        else:
            checks += compare_contracts(before, after, policy.contract)
    stored = _of_store(opened)
    if stored is not None:
        configured = {kind.value: severity for kind, severity in policy.contract.severity.items()}
        settings = {**policy.contract.model_dump(), "severity": {**_COVERED_BY_REPLAY, **configured}}
        contract_policy = parse(ContractPolicy, settings, field="policy.contract")
        checks_of_store = compare_contracts(stored, _of_code(opened), contract_policy)
        checks += [check for check in checks_of_store if not check.status.is_clear]
    return checks


def property_checks(opened: OpenInputs, policy: FeaturesPolicy) -> list[Check]:
    """Test the properties of the code on new rows; raw columns have none."""
    if opened.transform is opened.fitted.transform and opened.fitted.is_identity:
        return []
    if policy.store_holds == "inputs" and not opened.inputs.feature_code:
        return []
    span = opened.spans[-1]
    fresh = None
    if opened.inputs.feature_code:
        fresh = FreshProcess(opened.inputs.feature_code, policy.properties.fresh_seconds)
    times = [span.snapshot.roles.time] if span.snapshot.roles.time else []
    rows = _first_rows(opened, times)  # the time column is needed to order rows, even if the code does not read it
    return list(check_properties(opened.transform, rows, policy.properties, roles=span.snapshot.roles, fresh=fresh))


def _first_rows(opened: OpenInputs, extra: Iterable[str] = ()) -> pa.Table:
    import pyarrow as pa

    columns = list(dict.fromkeys([*readable(opened.spans[-1].snapshot, opened.transform), *extra]))
    return pa.Table.from_batches([next(rows_of(opened.spans[-1], columns))]).select(columns)


def _of_code(opened: OpenInputs) -> FeatureContract:
    features = opened.transform(_first_rows(opened))
    names = [opened.shared.get(name, name) for name in features.column_names]
    return contract_of_rows([features.rename_columns(names)], "the new feature code", opened.transform.digest)


def _of_store(opened: OpenInputs) -> FeatureContract | None:
    """Contract of the stored features that the code returns or a model reads; others in the store are ignored."""
    store = opened.inputs.stored
    if store is None or not opened.shared:
        return None
    concerned = {*opened.shared.values(), *opened.model_inputs}
    columns = [name for name in store.columns if name in concerned and name not in store.roles.not_features]
    split = next(name for name, rows in store.splits.items() if rows)
    first: Iterable[pa.RecordBatch] = [next(store.batches(split, columns))]
    return contract_of_rows(first, "the store")
