"""Production's traffic in the demo."""

import json

import numpy as np

from gauntlet.demo.loans import generate, write_csv
from gauntlet.demo.traffic import CallCounts, bodies
from gauntlet.serving.load_result import LoadResult, Outcome


def test_a_request_holds_what_a_model_may_see(tmp_path):
    write_csv(generate(3, 50, 1, label=False), str(tmp_path / "rows.csv"))
    rows = [json.loads(body)["instances"][0] for body in bodies(tmp_path / "rows.csv")]
    assert len(rows) == 50
    assert set(rows[0]) == {
        "region", "purpose", "product_code", "income", "debt_ratio", "employment_years", "history_years",
        "late_payments", "amount", "term_months",
    }  # fmt: skip
    assert {type(row["late_payments"]) for row in rows} == {int}
    assert {type(row["income"]) for row in rows} == {float}
    assert any(row["history_years"] is None for row in rows), "a thin file is a null"


def test_what_callers_saw_adds_up():
    def segment(latency, statuses):
        intended, n = np.arange(len(statuses)) / 10, len(statuses)
        return LoadResult(
            rate=10.0,
            seconds=1.0,
            timeout=5.0,
            intended=intended,
            fired=intended,
            sent=intended,
            ended=intended + latency,
            outcome=np.full(n, Outcome.ANSWERED, dtype=np.uint8),
            status=np.array(statuses, dtype=np.uint16),
        )

    counts = CallCounts()
    counts.add(segment(0.01, [200] * 10))
    counts.add(segment(0.25, [200] * 7 + [500] * 3))
    seen = counts.to_json()
    assert (seen["requests"], seen["errors"]) == (20, {"status 500": 3})
    assert np.allclose([seen["p99_first"], seen["p99_worst"]], [0.01, 0.25])
