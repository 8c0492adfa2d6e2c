"""The narrow loader against TFDV itself, imported in full."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gauntlet.data import tfdv
from gauntlet.data.roles import Roles
from gauntlet.data.statistics import OPTIONS, compute, generator_schema
from gauntlet.errors import DependencyError

ROWS = 4000
COLUMNS = {
    "age": "int",
    "income": "float",
    "city": "string",
    "code": "int",
    "member": "bool",
    "constant": "int",
    "half_empty": "float",
    "empty_number": "float",
    "empty_text": "string",
    "many": "string",
    "weight": "float",
}
WITHOUT_COMPUTATION = {"empty_text"}  # pandas has no type for it: object of None is what it comes closest to


@pytest.fixture(scope="session")
def full_tfdv():
    tfdv.load_generators()  # a full import after the narrow one is the harder order
    tfdv._extension()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TFDV's own dependencies
        import tensorflow_data_validation

    return tensorflow_data_validation


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(20)
    return pd.DataFrame(
        {
            "age": rng.integers(17, 91, ROWS),
            "income": rng.lognormal(10, 1, ROWS),
            "city": rng.choice(np.array(["Łódź", "Bern", "Oslo"], dtype=object), ROWS, p=[0.6, 0.3, 0.1]),
            "code": rng.integers(0, 7, ROWS),
            "member": rng.random(ROWS) < 0.2,
            "constant": np.full(ROWS, 7),
            "half_empty": np.where(rng.random(ROWS) < 0.5, np.nan, rng.normal(size=ROWS)),
            "empty_number": np.full(ROWS, np.nan),
            "empty_text": np.full(ROWS, None, dtype=object),
            "many": [f"v{value}" for value in rng.integers(0, 800, ROWS)],
            "weight": rng.gamma(2, size=ROWS),
        }
    )


def as_batch(frame: pd.DataFrame) -> pa.RecordBatch:
    arrays = []
    for name, kind in COLUMNS.items():
        types = {"int": pa.int64(), "float": pa.float64(), "string": pa.string(), "bool": pa.bool_()}
        arrays.append(pa.array(frame[name], type=types[kind], from_pandas=True))
    return pa.RecordBatch.from_arrays(arrays, list(COLUMNS))


def reference(full_tfdv, frame: pd.DataFrame, roles: Roles):
    """TFDV's own public function, on the same rows under the same options."""
    from tfx_bsl.arrow import array_util

    from gauntlet.data.statistics import _as_lists

    lists = _as_lists(as_batch(frame), COLUMNS, array_util.ToSingletonListArray)
    from tensorflow_data_validation.statistics import stats_impl

    options = full_tfdv.StatsOptions(schema=generator_schema(COLUMNS, roles), weight_feature=roles.weight, **OPTIONS)
    return stats_impl.generate_statistics_in_memory(lists, options)


def by_name(statistics) -> dict:
    return {feature.path.step[0]: feature for feature in statistics.datasets[0].features}


@pytest.fixture(scope="module", params=[None, "weight"], ids=["unweighted", "weighted"])
def both(request, full_tfdv, frame):
    """Our statistics and TFDV's, for the same rows, roles and options."""
    roles = Roles(categorical=("code",), weight=request.param)
    ours = compute([as_batch(frame)], COLUMNS, roles)
    for feature in ours.datasets[0].features:
        del feature.custom_stats[:]  # what stands beside TFDV's own
    return ours, reference(full_tfdv, frame, roles)


@pytest.mark.parametrize("column", list(COLUMNS))
def test_every_number_is_tfdvs_own(both, column):
    ours, theirs = both
    assert ours.datasets[0].num_examples == theirs.datasets[0].num_examples == ROWS
    assert by_name(ours)[column] == by_name(theirs)[column]


@pytest.fixture(scope="module")
def with_dataframe(full_tfdv, frame):
    """Our statistics and those of TFDV's function for data frames."""
    roles = Roles(categorical=("code",))
    options = full_tfdv.StatsOptions(schema=generator_schema(COLUMNS, roles), **OPTIONS)
    theirs = full_tfdv.generate_statistics_from_dataframe(frame, options)
    return by_name(compute([as_batch(frame)], COLUMNS, roles)), by_name(theirs)


@pytest.mark.parametrize("column", [name for name in COLUMNS if name not in WITHOUT_COMPUTATION])
def test_numbers_equal_those_from_a_dataframe(with_dataframe, column):
    ours, theirs = (statistics[column] for statistics in with_dataframe)
    assert ours.string_stats == theirs.string_stats
    for histogram in (*ours.num_stats.histograms, *theirs.num_stats.histograms):
        histogram.num_nan = 0  # pandas has no missing number but NaN, and TFDV notes how it was written
    assert ours.num_stats == theirs.num_stats


def test_the_stream_gives_the_same_numbers_as_one_batch(frame):
    roles = Roles(categorical=("code",), weight="weight")
    whole = as_batch(frame)
    one = by_name(compute([whole], COLUMNS, roles))
    many = by_name(compute([whole.slice(start, 333) for start in range(0, ROWS, 333)], COLUMNS, roles))
    for name in COLUMNS:
        assert one[name].string_stats.unique == many[name].string_stats.unique
        assert one[name].string_stats.common_stats.num_missing == many[name].string_stats.common_stats.num_missing
        assert one[name].string_stats.rank_histogram == many[name].string_stats.rank_histogram
        a, b = one[name].num_stats, many[name].num_stats
        assert a.common_stats.num_missing == b.common_stats.num_missing
        assert (a.min, a.max, a.num_zeros) == (b.min, b.max, b.num_zeros)
        assert a.mean == pytest.approx(b.mean, rel=1e-12)
        assert a.std_dev == pytest.approx(b.std_dev, rel=1e-9)


def test_inference_validation_and_update_are_tfdvs_own(full_tfdv, frame):
    from tensorflow_metadata.proto.v0 import statistics_pb2

    ours = compute([as_batch(frame)], COLUMNS, Roles(categorical=("code",)))
    dataset = ours.datasets[0]
    schema = full_tfdv.infer_schema(ours, max_string_domain_size=50)
    assert tfdv.infer_schema(dataset, max_categories=50) == schema
    changed = by_name(compute([as_batch(frame.assign(age=-frame["age"], city="Rome"))], COLUMNS, Roles()))
    other = statistics_pb2.DatasetFeatureStatisticsList()
    other.datasets.add(num_examples=ROWS).features.extend(changed.values())
    for feature in schema.feature:
        if feature.name == "income":
            feature.skew_comparator.jensen_shannon_divergence.threshold = 0.01
            feature.drift_comparator.jensen_shannon_divergence.threshold = 0.02
    theirs = full_tfdv.validate_statistics(other, schema, previous_statistics=ours, serving_statistics=ours)
    found = tfdv.validate(other.datasets[0], schema, previous=dataset, serving=dataset)
    assert found == theirs
    assert "city" in found.anomaly_info
    assert tfdv.update_schema(schema, other.datasets[0], max_categories=50) == full_tfdv.update_schema(
        schema, other, max_string_domain_size=50
    )


def test_the_narrow_import_brings_neither_beam_nor_tensorflow_and_leaves_nothing_behind():
    program = """
import sys
from gauntlet.data import tfdv
tfdv.load_generators()
tfdv._extension()
heavy = {"apache_beam", "tensorflow", "tensorflow_data_validation", "pandas"}
found = {name.split(".")[0] for name in sys.modules if ".pywrap." not in name}
print(sorted(found & heavy))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_full_import_stays_whole_around_the_narrow_one(full_tfdv):
    import apache_beam

    tfdv.load_generators.cache_clear()
    tfdv.load_generators()
    assert sys.modules["tensorflow_data_validation"] is full_tfdv
    assert sys.modules["apache_beam"] is apache_beam
    assert sys.modules["tensorflow_data_validation.types"].beam is apache_beam


@pytest.mark.parametrize("load", ["load_generators", "_extension"])
def test_a_layout_that_moved_is_an_error_that_names_the_mend(tmp_path, monkeypatch, load):
    function = getattr(tfdv, load)
    monkeypatch.setattr(tfdv, "_package_folder", lambda: tmp_path)
    monkeypatch.setattr(tfdv, "EXTENSION", "moved")
    with pytest.raises(DependencyError, match=r"laid out otherwise.*requirements\.lock"):
        function.__wrapped__()


def test_without_tfdv_the_error_names_the_image(monkeypatch):
    monkeypatch.setattr(tfdv, "PACKAGE", "tensorflow_data_validation_of_nowhere")
    with pytest.raises(DependencyError, match="image named data"):
        tfdv._package_folder()
