"""First runs with default policies: how often clean data are stopped, and how often what is wrong is found.

Before values outside a range were judged by how many there are, 19 of 28 clean runs of these kinds were stopped.
"""

import numpy as np
import pytest

import tiers
from builders.first_runs import FAULTS, describe_draw, first_run, leaking_table, plan_of, spoilt_tables
from gauntlet.data.roles import Roles

pytestmark = pytest.mark.simulation

RUNS = tiers.count(6, full=200)
FAULTY_RUNS = tiers.count(3, full=60)
MOST_STOPPED = 0.02
MOST_CELLS = 200_000
"""Cells of a table: 30,000 rows have few columns, and 500 columns few rows."""
MOST_COMPARED = 40
"""Columns of a table that is compared with another: the simulations behind each distance take most of the time."""
BESIDE = ("nothing", "serving requests", "an earlier draw")


def test_clean_draws_are_stopped_in_at_most_two_of_a_hundred_runs(tmp_path, record_property):
    """Alone, beside a sample of serving requests, and held against the schema and statistics of an earlier draw."""
    stopped, told, columns = [], 0, 0
    for seed in range(RUNS):
        rng = np.random.default_rng([seed, 16])
        rows = int(10 ** rng.uniform(np.log10(300), np.log10(30_000)))
        wide, beside = int(10 ** rng.uniform(np.log10(4), np.log10(500))), BESIDE[seed % 3]
        wide = min(wide, MOST_CELLS // rows, wide if beside == "nothing" else MOST_COMPARED)
        plan, folder = plan_of(rng, max(4, wide)), tmp_path / str(seed)
        serving = plan.table(rng, max(5, rows // 4)) if beside == "serving requests" else None
        kept = (
            describe_draw(folder / "kept", plan.roles, plan.table(rng, rows)) if beside == "an earlier draw" else None
        )
        found = first_run(folder, plan.roles, plan.table(rng, rows), serving=serving, kept=kept)
        stopped += [f"{seed}, beside {beside}: {found.stops[0]}"] if found.stops else []
        told, columns = told + len(found.told), columns + len(plan.laws)
    record_property("stopped", f"{len(stopped)} of {RUNS} runs with {columns:,} columns; {told:,} checks undecided")
    assert len(stopped) <= MOST_STOPPED * RUNS, stopped


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_file_of_the_test_split_is_found(fault, tmp_path, record_property):
    found = 0
    for seed in range(FAULTY_RUNS):
        train, test, name = spoilt_tables(fault, seed)
        run = first_run(tmp_path / str(seed), Roles(label="label"), train, test=test)
        found += any(f"`{name}`" in stop for stop in run.stops)
    record_property("found", f"{found} of {FAULTY_RUNS}")
    assert found >= 0.9 * FAULTY_RUNS


def test_a_leak_is_found(tmp_path, record_property):
    found = 0
    for seed in range(2 * FAULTY_RUNS):
        table, name = leaking_table(seed)
        found += any(f"`{name}`" in stop for stop in first_run(tmp_path / str(seed), Roles(label="label"), table).stops)
    record_property("found", f"{found} of {2 * FAULTY_RUNS}")
    assert found == 2 * FAULTY_RUNS
