"""Prediction target: label column, task, classes, and label encoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from gauntlet.data.roles import Roles
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.training.column_profile import Profile
from gauntlet.training.encoding import as_text

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Task = Literal["binary", "multiclass", "regression"]
MOST_CLASSES = 1_000


@dataclass(frozen=True)
class Target:
    """Prediction target.

    Attributes:
        column: name of the label column.
        task: ``binary | multiclass | regression``.
        classes: the label's values as strings in code order; binary: (negative, positive); regression: ().
    """

    column: str
    task: Task
    classes: tuple[str, ...] = ()

    def encode(self, values: pa.Array, *, where: str) -> np.ndarray:
        """Encode labels as numbers.

        Args:
            values: the label column.
            where: name of the rows (``split test``), for messages.

        Returns:
            int32 codes into ``classes``, or float64 values for regression.

        Raises:
            DataError: a label is missing, not finite, or not among the classes.
        """
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if values.null_count:
            raise DataError(
                f"{values.null_count} rows of {where} have no label",
                field=self.column,
                mend="Drop these rows when importing, or correct the source",
            )
        if self.task == "regression":
            numbers = np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False))
            if not np.isfinite(numbers).all():
                raise DataError(
                    f"{where} has a label that is not a finite number", field=self.column, mend="Correct it"
                )
            return numbers
        texts = as_text(values)
        codes = pc.index_in(texts, value_set=pa.array(self.classes, pa.string()))
        if codes.null_count:
            unknown = texts.filter(pc.is_null(codes))[0].as_py()
            raise DataError(
                f"{where} has a label that is not among the classes {', '.join(self.classes)}",
                field=self.column,
                value=unknown,
                mend="Map the label's spellings when importing, or train on data that has every class",
            )
        return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int32)


_LARGEST_LABEL = 3.4e38
"""XGBoost holds labels as 32-bit floats."""


def require_labels(snapshot: Snapshot, splits: Sequence[str], target: Target, objective: str) -> None:
    """Make sure that a regression's loss is defined for every label, before anything is trained.

    Args:
        snapshot: the data.
        splits: the splits that training reads.
        target: the label.
        objective: the recipe's loss.

    Raises:
        DataError: labels that the loss has no value for, or beyond the range of 32-bit floats.
    """
    if target.task != "regression":
        return
    for split in splits:
        wrong, example = 0, 0.0
        for batch in snapshot.batches(split, [target.column]):
            labels = target.encode(batch.column(target.column), where=f"split {split}")
            found = labels[_is_beyond(labels, objective)]
            if len(found):
                example = example if wrong else float(found[0])
                wrong += len(found)
        if wrong:
            raise _unsuited(target.column, split, objective, wrong, snapshot.splits[split], example)


def _is_beyond(labels: np.ndarray, objective: str) -> np.ndarray:
    beyond: np.ndarray = abs(labels) > _LARGEST_LABEL
    if objective == "gamma":
        return beyond | (labels <= 0)
    return beyond | (labels < 0) if objective in ("poisson", "tweedie") else beyond


def _unsuited(column: str, split: str, objective: str, wrong: int, rows: int, example: float) -> DataError:
    if abs(example) > _LARGEST_LABEL:
        needs, mend = "training takes labels up to 3.4e38", "Rescale the label, at the source or by reader.derive"
    elif objective == "gamma":
        also = "tweedie, which takes 0 as well, or " if example == 0 else ""
        needs, mend = "the loss gamma takes labels above 0", f"Use recipe.objective: {also}squared_error"
    else:
        needs, mend = f"the loss {objective} takes labels from 0 on", "Use recipe.objective: squared_error"
    return DataError(
        f"{needs}, and {wrong:,} of {rows:,} rows of split {split} have others",
        field=column,
        value=example,
        mend=f"{mend}; or correct the label",
    )


def infer_target(label: str, kind: str, profile: Profile, *, task: str, roles: Roles, categorical: bool) -> Target:
    """Infer task and classes.

    ``auto``: two values mean binary; more strings, or more integers declared categorical, multiclass; any other numbers
    regression.

    Args:
        label: the label's name.
        kind: its type in the snapshot.
        profile: its profile in the training split.
        task: the recipe's task.
        roles: the snapshot's roles, for the positive class.
        categorical: whether schema or roles declare it categorical.

    Raises:
        ConfigurationError: the task does not fit the label's type.
        DataError: labels are missing, all equal, or have too many distinct values for classes.
    """
    if profile.missing:
        raise DataError(
            f"{profile.missing} of {profile.rows} training rows have no label",
            field=label,
            mend="Drop these rows when importing, or correct the source",
        )
    if kind == "timestamp":
        raise ConfigurationError("a timestamp cannot be the label", field=label, mend="Choose another label column")
    values = profile.values
    if values is not None and len(values) == 1:
        raise DataError(
            "every training row has the same label",
            field=label,
            value=next(iter(values)),
            mend="Check the source and the label's mapping; a model needs at least two values",
        )
    chosen = _task(kind, values, categorical) if task == "auto" else task
    if chosen == "regression":
        if kind == "string":
            raise ConfigurationError(
                "regression needs numbers, and the label is text", field="recipe.task", value=task, mend="Use auto"
            )
        return Target(label, "regression")
    if values is None or len(values) > MOST_CLASSES:
        raise DataError(
            f"has more than {MOST_CLASSES} distinct values, too many for classes",
            field=label,
            mend="Use task regression, or another label",
        )
    if kind == "float" and not all(_whole(value) for value in values):
        raise ConfigurationError(
            "the label has fractional values, which cannot be classes",
            field="recipe.task",
            value=task,
            mend="Use regression",
        )
    if chosen == "binary" and len(values) != 2:
        raise ConfigurationError(
            f"a binary task needs two label values, {label} has {len(values)}",
            field="recipe.task",
            value=task,
            mend="Use multiclass, or map the label when importing",
        )
    classes = _sort_classes(tuple(values), kind)
    if chosen == "binary":
        classes = _positive_last(classes, roles.positive, label)
    return Target(label, cast(Task, chosen), classes)


def _task(kind: str, values: dict[str, int] | None, categorical: bool) -> Task:
    if values is not None and len(values) == 2 and (kind != "float" or all(map(_whole, values))):
        return "binary"
    return "multiclass" if kind in ("string", "bool") or categorical else "regression"


def _whole(value: str) -> bool:
    return value.lstrip("-").isdigit()


def _sort_classes(values: tuple[str, ...], kind: str) -> tuple[str, ...]:
    return tuple(sorted(values, key=float)) if kind in ("int", "float") else tuple(sorted(values))


def _positive_last(classes: tuple[str, ...], positive: Any, label: str) -> tuple[str, ...]:
    if positive is None:
        return classes
    name = str(positive).lower() if isinstance(positive, bool) else str(positive)
    if name not in classes:
        raise ConfigurationError(
            f"is not a value of the label {label}",
            field="roles.positive",
            value=positive,
            mend=f"Use one of: {', '.join(classes)}",
        )
    return tuple(sorted(classes, key=lambda value: value == name))
