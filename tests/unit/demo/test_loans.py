"""The generator is what it says: seeded, fair by default, the same mechanism over spans, faults only where planted."""

import numpy as np
import pyarrow.compute as pc
import pytest

from gauntlet.demo import loans
from gauntlet.demo.loans import Faults, generate
from gauntlet.errors import ConfigurationError

ROWS = 20_000


def rates(table, column):
    grouped = table.group_by(column).aggregate([("repaid", "mean")]).to_pydict()
    return dict(zip(grouped[column], grouped["repaid_mean"], strict=True))


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("first.csv", "second.csv"):
        loans.main(["--span", "1", "--rows", "500", "--seed", "3", "--out", str(tmp_path / name)])
    loans.main(["--span", "1", "--rows", "500", "--seed", "4", "--out", str(tmp_path / "other.csv")])
    assert (tmp_path / "first.csv").read_bytes() == (tmp_path / "second.csv").read_bytes()
    assert (tmp_path / "first.csv").read_bytes() != (tmp_path / "other.csv").read_bytes()


def test_spans_follow_each_other_in_time_and_share_no_application():
    first, second = generate(1, 500, 0), generate(2, 500, 0)
    assert pc.max(first["applied_at"]).as_py() < pc.min(second["applied_at"]).as_py()
    assert not set(first["application_id"].to_pylist()) & set(second["application_id"].to_pylist())


def test_applicants_repeat_and_keep_their_attributes():
    table = generate(1, 5_000, 0)
    seen = {}
    for person, sex, community in zip(
        *(table[name].to_pylist() for name in ("applicant_id", "sex", "community")), strict=True
    ):
        assert seen.setdefault(person, (sex, community)) == (sex, community)
    assert 2_000 < len(seen) < 4_000


def test_only_the_credit_history_has_missing_values():
    table = generate(1, ROWS, 0)
    missing = {name: table[name].null_count for name in table.column_names if table[name].null_count}
    assert set(missing) == {"history_years"}
    assert missing["history_years"] == pytest.approx(loans.THIN_FILE_SHARE * ROWS, rel=0.15)


@pytest.mark.parametrize("column", ["sex", "community"])
def test_no_group_repays_less_by_default(column):
    found = rates(generate(1, ROWS, 0), column)
    assert max(found.values()) - min(found.values()) < 0.04


def test_the_label_follows_the_mechanism():
    table = generate(1, ROWS, 0)
    columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    thin = np.isnan(columns["history_years"])
    columns["history_years"] = np.nan_to_num(columns["history_years"])
    log_odds = loans._log_odds({**columns, "_thin": thin})
    expected = 1 / (1 + np.exp(-log_odds))
    low, high = expected < 0.3, expected > 0.8
    assert columns["repaid"][low].mean() < 0.35
    assert columns["repaid"][high].mean() > 0.75
    assert columns["repaid"].mean() == pytest.approx(expected.mean(), abs=0.02)


def test_the_mechanism_stays_from_span_to_span():
    assert abs(pc.mean(generate(1, ROWS, 0)["repaid"]).as_py() - pc.mean(generate(4, ROWS, 0)["repaid"]).as_py()) < 0.04


def test_a_planted_bias_hits_its_group_alone():
    biased = rates(generate(1, ROWS, 0, Faults(bias={("sex", "female"): -1.5})), "sex")
    fair = rates(generate(1, ROWS, 0), "sex")
    assert fair["female"] - biased["female"] > 0.2
    assert biased["male"] == pytest.approx(fair["male"], abs=0.01)


def test_planted_faults_change_the_columns_they_name():
    faults = Faults(
        scale={"amount": 1000.0},
        normalize=("income",),
        missing={"late_payments": 0.6},
        unseen={"purpose": 0.1},
        negate={"age": 0.05},
        leak=True,
    )
    clean, table = generate(1, ROWS, 0), generate(1, ROWS, 0, faults)
    assert pc.mean(table["amount"]).as_py() == pytest.approx(1000 * pc.mean(clean["amount"]).as_py())
    assert pc.mean(table["income"]).as_py() == pytest.approx(0, abs=1e-9)
    assert table["late_payments"].null_count == pytest.approx(0.6 * ROWS, rel=0.05)
    assert "unheard-of" in table["purpose"].unique().to_pylist()
    assert pc.sum(pc.less(table["age"], 0)).as_py() == pytest.approx(0.05 * ROWS, rel=0.2)
    assert pc.all(pc.equal(pc.equal(table["collection_calls"], 0), pc.equal(table["repaid"], 1))).as_py()


def test_requests_have_no_label():
    assert loans.LABEL not in generate(1, 100, 0, label=False).column_names


@pytest.mark.parametrize(
    ("span", "rows", "faults"), [(0, 10, Faults()), (1, 0, Faults()), (1, 10, Faults(scale={"nothing": 2.0}))]
)
def test_what_makes_no_sense_is_refused(span, rows, faults):
    with pytest.raises(ConfigurationError):
        generate(span, rows, 0, faults)
