"""The narrow way into TensorFlow Data Validation: its numbers without its ten-second import.

``import tensorflow_data_validation`` also imports TensorFlow and Apache Beam, and spends 8–11 s on them. Nothing used
here needs either:

- **Inference, validation and comparators** are C++ (``pywrap/tensorflow_data_validation_extension.so``), take and
  return serialized protos, and load alone in a tenth of a second. TFDV's Python functions of the same names only
  serialize, call and parse, as the functions here do.
- **Statistics** are made by two generators (``BasicStatsGenerator``, ``TopKUniquesSketchStatsGenerator``) on NumPy,
  Arrow and C++ sketches. Their modules name Beam and TensorFlow at import for what a run in memory never does:
  monitoring counters, a coder, files. ``load_generators`` imports just these modules, with inert stand-ins for the two
  names, and takes stand-ins and modules out of ``sys.modules`` again, so that a later full import is untouched.

The price is knowledge of TFDV's layout. The version is pinned, ``tests/unit/data/test_tfdv.py`` compares every number
with a full import of TFDV, and a layout that moved raises ``DependencyError`` instead of giving other numbers.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.data import equi_width
from gauntlet.errors import DependencyError

PACKAGE = "tensorflow_data_validation"
EXTENSION = "tensorflow_data_validation_extension"
_GENERATORS = f"{PACKAGE}.statistics.generators"
_STOOD_IN_FOR = ("apache_beam", "tensorflow")


@dataclass(frozen=True)
class Generators:
    """TFDV's two default generators, not yet made, and what goes with them.

    Attributes:
        basic: the class ``BasicStatsGenerator`` (presence, moments, quantiles, histograms).
        top_values: the class ``TopKUniquesSketchStatsGenerator`` (categories, number of distinct values).
        weights: the class ``ExampleWeightMap``.
        merge: joins the generators' outputs into one ``DatasetFeatureStatisticsList``.
        as_list: turns an Arrow array into the one-value lists that generators read.
    """

    basic: Callable[..., Any]
    top_values: Callable[..., Any]
    weights: Callable[..., Any]
    merge: Callable[[Iterable[Any]], Any]
    as_list: Callable[[Any], Any]


@functools.cache
def load_generators() -> Generators:
    """Import TFDV's statistics generators and nothing else of it (0.3 s), with a faster equal-width histogram.

    Raises:
        DependencyError: TFDV is not installed, or its layout is not the one known.
    """
    folder = _package_folder()
    try:
        with _narrow_import(folder):
            basic = importlib.import_module(f"{_GENERATORS}.basic_stats_generator")
            top = importlib.import_module(f"{_GENERATORS}.top_k_uniques_sketch_stats_generator")
            weights = importlib.import_module(f"{PACKAGE}.utils.example_weight_map")
            merge = importlib.import_module("tfx_bsl.statistics.merge_util")
            array_util = importlib.import_module("tfx_bsl.arrow.array_util")
        equi_width.use_in(basic.quantiles_util)
        return Generators(
            basic.BasicStatsGenerator,
            top.TopKUniquesSketchStatsGenerator,
            weights.ExampleWeightMap,
            merge.merge_dataset_feature_statistics,
            array_util.ToSingletonListArray,
        )
    except (ImportError, AttributeError) as error:
        raise _moved(error) from error


def infer_schema(statistics: Any, *, max_categories: int) -> Any:
    """TFDV's ``infer_schema`` for one dataset.

    Args:
        statistics: a ``DatasetFeatureStatistics``.
        max_categories: strings with at most this many distinct values get a domain.

    Returns:
        A ``Schema`` with fixed shapes where every row has exactly one value.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2

    answer = _extension().InferSchema(statistics.SerializeToString(), max_categories, True)
    return schema_pb2.Schema.FromString(answer)


def update_schema(schema: Any, statistics: Any, *, max_categories: int) -> Any:
    """TFDV's ``update_schema``: the smallest change to ``schema`` that one dataset's statistics agree with."""
    from tensorflow_metadata.proto.v0 import schema_pb2

    answer = _extension().UpdateSchema(schema.SerializeToString(), statistics.SerializeToString(), max_categories)
    return schema_pb2.Schema.FromString(answer)


def validate(statistics: Any, schema: Any, *, environment: str = "", previous: Any = None, serving: Any = None) -> Any:
    """TFDV's ``validate_statistics`` for one dataset.

    Args:
        statistics: a ``DatasetFeatureStatistics``.
        schema: a ``Schema``.
        environment: one of the schema's default environments; empty: the whole schema.
        previous: the control for drift comparators, or ``None``.
        serving: the control for skew comparators, or ``None``.

    Returns:
        An ``Anomalies`` proto; its ``drift_skew_info`` holds what the comparators measured.
    """
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    def wire(dataset: Any) -> bytes:
        return b"" if dataset is None else bytes(dataset.SerializeToString())

    answer = _extension().ValidateFeatureStatistics(
        wire(statistics),
        schema.SerializeToString(),
        environment.encode(),
        wire(previous),
        wire(serving),
        b"",  # statistics of an earlier version of the same span
        b"",  # features needed
        b"",  # validation config: severities are ours to set
        False,  # no diff regions: the proposal has a diff of its own
    )
    return anomalies_pb2.Anomalies.FromString(answer)


def by_column(anomalies: Any) -> dict[str, Any]:
    """What an ``Anomalies`` proto says of each column: name → ``AnomalyInfo``.

    Its own keys are no names: TFDV writes ``Temp (C)`` and ``Temp.C`` in quotes there.
    """
    return {info.path.step[0] if info.path.step else key: info for key, info in anomalies.anomaly_info.items()}


@functools.cache
def _extension() -> Any:
    """The C++ functions, loaded from their file so that the package's ``__init__`` does not run.

    The module is kept under its full name: it registers C++ types and cannot live twice in one process, so a full
    import, earlier or later, shares it.
    """
    name = f"{PACKAGE}.pywrap.{EXTENSION}"
    try:
        if name not in sys.modules:
            file = _package_folder() / "pywrap" / f"{EXTENSION}.so"
            spec = importlib.util.spec_from_file_location(name, file)
            if spec is None or spec.loader is None:
                raise ImportError(f"no loader for {file}")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            sys.modules[name] = module
        return sys.modules[name].validation
    except (ImportError, AttributeError) as error:
        raise _moved(error) from error


def _package_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise DependencyError(
            "is not installed", field=PACKAGE, mend="Run this in the environment of the image named data"
        )
    return Path(spec.origin).parent


def _moved(error: Exception) -> DependencyError:
    return DependencyError(
        "is laid out otherwise than in the version this was written for",
        field=PACKAGE,
        value=str(error),
        mend="Install the version that containers/data/requirements.lock pins",
    )


@contextmanager
def _narrow_import(folder: Path) -> Iterator[None]:
    """Make ``PACKAGE`` importable piece by piece, beside stand-ins; leave ``sys.modules`` as it was found.

    What is already imported in full (in tests, say) is set aside and comes back: the two sets of modules never mix.
    """
    ours = {name: module for name, module in sys.modules.items() if _is_covered(name)}
    for name in ours:
        del sys.modules[name]
    package = types.ModuleType(PACKAGE)
    package.__path__ = [str(folder)]
    sys.modules[PACKAGE] = package
    for name in _STOOD_IN_FOR:
        sys.modules[name] = _StandIn(name)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _is_covered(name)]:
            del sys.modules[name]
        sys.modules.update(ours)


def _is_covered(name: str) -> bool:
    return name.split(".", 1)[0] in (PACKAGE, *_STOOD_IN_FOR)


class _StandIn(types.ModuleType):
    """A module whose every attribute is an ``_Inert`` class; it stands where only monitoring and files are meant."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Inert


class _InertType(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __getitem__(cls, parameters: object) -> Any:
        return cls


class _Inert(metaclass=_InertType):
    """Can be a base class, an annotation, a decorator, a counter, and does nothing in each part."""

    def __init__(self, *arguments: object, **named: object) -> None: ...

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Inert

    def __call__(self, *arguments: object, **named: object) -> _Inert:
        return self
