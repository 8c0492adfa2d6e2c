"""The lines under a page's title: filled in by who knows, escaped, and never where a page has no place for them."""

import base64
import hashlib
import re
from datetime import UTC, datetime

from builders.reports import HOSTILE, text, verdict
from gauntlet.reports.masthead import RunLink, with_facts, with_run
from gauntlet.reports.page import verdict_page

RUN = RunLink("march", "continuous-training", datetime(2026, 3, 1, 14, 5, 9, tzinfo=UTC), "../index.html")


def test_a_page_says_what_it_is_about_and_leads_back_to_its_run():
    page = with_run(with_facts(verdict_page(verdict(), title="T"), [("Model", "loans"), ("Split", "test")]), RUN)
    assert "Model loans Split test" in text(page)
    assert "Run march continuous-training, 2026-03-01 14:05:09 UTC" in text(page)
    assert '<a href="../index.html">' in page


def test_a_page_of_an_earlier_run_says_so():
    reused = RunLink(RUN.name, RUN.pipeline, RUN.started, RUN.href, reused=True)
    assert "made by an earlier run from the same inputs" in text(with_run(verdict_page(verdict(), title="T"), reused))


def test_names_are_escaped_and_a_place_named_in_a_name_is_none():
    page = verdict_page(verdict(), title="<!-- run --><!-- about -->", subtitle=HOSTILE)
    page = with_facts(page, [(HOSTILE, HOSTILE)])
    page = with_run(page, RunLink(HOSTILE, HOSTILE, RUN.started, "javascript:alert(1)"))
    assert "<script" not in page
    assert "javascript:" not in page
    assert page.count('class="about"') == page.count('class="run"') == 1


def test_a_page_without_the_places_and_a_task_about_nothing_stay_as_they_are():
    assert with_run(with_facts("<p>3</p>", [("Model", "loans")]), RUN) == "<p>3</p>"
    page = verdict_page(verdict(), title="T")
    assert with_facts(page, []) == page


def test_a_page_may_use_nothing_but_its_own_style_sheet():
    page = verdict_page(verdict(), title="T")
    (policy,) = re.findall('<meta http-equiv="Content-Security-Policy" content="(.*?)">', page)
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r'\sstyle="', page)  # which the policy would leave without effect
