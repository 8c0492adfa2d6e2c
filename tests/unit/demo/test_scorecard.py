"""The lender's own code. (Runs in the model image's environment.)"""

import numpy as np
import pandas as pd
import pytest

from gauntlet.demo.loans import generate, write_csv
from gauntlet.demo.scorecard import (
    CATEGORIES,
    FEATURES,
    INCOME_MEAN,
    INCOME_SD,
    KEY,
    MANY_PAYMENTS,
    NUMBERS,
    as_recorded,
    income_normalized,
    main,
    named_features,
    payments_cleaned,
)
from gauntlet.errors import ConfigurationError


@pytest.fixture(scope="module")
def rows():
    return generate(1, 500, 3).to_pandas()


def test_the_change_touches_income_alone(rows):
    before, after = as_recorded(rows), income_normalized(rows)
    assert np.allclose(after["income"] * INCOME_SD + INCOME_MEAN, before["income"])
    pd.testing.assert_frame_equal(after.drop(columns="income"), before.drop(columns="income"))


def test_only_many_late_payments_become_unknown(rows):
    many = rows.assign(late_payments=[MANY_PAYMENTS, MANY_PAYMENTS - 1] * 250)
    assert payments_cleaned(many)["late_payments"].isna().tolist() == [True, False] * 250


@pytest.mark.parametrize("name", FEATURES)
def test_every_version_gives_the_same_columns(rows, name):
    assert tuple(named_features(name)(rows).columns) == (*NUMBERS, *CATEGORIES)


def test_the_store_keeps_features_by_application_and_time(tmp_path):
    write_csv(generate(1, 50, 3), str(tmp_path / "loans.csv"))
    main(
        ["--features", "income_normalized", "--data", str(tmp_path / "loans.csv"), "--out", str(tmp_path / "s.parquet")]
    )
    stored = pd.read_parquet(tmp_path / "s.parquet")
    assert tuple(stored.columns) == (*KEY, *NUMBERS, *CATEGORIES)
    assert abs(stored["income"].mean()) < 1


def test_an_unknown_version_is_refused():
    with pytest.raises(ConfigurationError, match=r"recipe\.options\.features"):
        named_features("as_dreamt")
