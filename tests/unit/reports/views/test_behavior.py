"""The behavior page: every finding is on it, the worst first, and nothing from the data gets out as markup."""

from __future__ import annotations

import pytest

from builders.behavior_pages import POLICY, behavior_page, behavior_result
from builders.reports import HOSTILE
from gauntlet.behavior.gate import BehaviorResult, nothing_asked
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.reports.views.behavior import behavior_view, write_report


@pytest.fixture(scope="module")
def result() -> BehaviorResult:
    return behavior_result()


def test_every_rule_is_there_the_worst_first(result):
    view = behavior_view(result, POLICY)
    assert [section.status for section in view.rules] == ["error", "error", "fail", "fail", "fail", "pass"]
    assert (view.kept_cases, view.unit) == (1, "clusters")


def test_rates_are_drawn_against_their_own_limits(result):
    view = behavior_view(result, POLICY)
    assert [forest.limit for forest in view.forests] == [0.01, 0.1]
    drawn = {row.label: row for forest in view.forests for row in forest.rows}
    checks = {check.name: check for check in result.verdict.checks}
    assert set(drawn) == {name for name, check in checks.items() if check.interval is not None}
    for name, row in drawn.items():
        assert (row.estimate, (row.low, row.high)) == (checks[name].measured, checks[name].interval)


def test_offenders_show_what_changed_and_what_came_of_it(result):
    view = behavior_view(result, POLICY)
    section = next(one for one in view.rules if one.name == "late payments never help")
    assert len(section.offenders) == 3
    worst = section.offenders[0]
    (column, before, after) = worst.changes[0]
    assert column == "late"
    assert int(after) == int(before) + 1
    assert float(worst.scores[1]) > float(worst.scores[0])
    assert "income" in worst.others
    assert "late" not in worst.others
    spaces = next(one for one in view.rules if one.name == "spaces do not matter")
    assert spaces.offenders[0].changes[0][2].startswith("“ "), "a reader sees the space"
    assert "a cluster breaks the rule when one of its rows does" in section.tried


def test_a_lost_case_shows_what_was_expected(result):
    view = behavior_view(result, POLICY)
    lost = view.cases[1]
    assert (lost.status, lost.expected) == ("fail", "score at least 0.5")
    assert "class no" in lost.answered
    assert "late 9" in lost.values


def test_the_page_says_it_all_and_lets_no_markup_out(tmp_path):
    page, words = behavior_page()
    for word in words:
        assert word in page
    hostile = {
        "golden": [
            {
                "name": HOSTILE[:100],
                "why": HOSTILE[:100],
                "row": {"income": 9000, "late": 0, "region": HOSTILE, "member": True},
                "expect": {"class": "no"},
            }
        ]
    }
    result = behavior_result(hostile)
    write_report(result, POLICY, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_without_a_file_the_page_says_so(tmp_path):
    write_report(nothing_asked(), BehaviorPolicy(), tmp_path / "page.html")
    assert "No behavior file is given" in (tmp_path / "page.html").read_text()
