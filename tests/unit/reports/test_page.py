import re
from dataclasses import replace
from pathlib import Path

import jinja2
import pytest

from builders.gold import assert_gold
from builders.pages import PAGES, made
from builders.reports import HOSTILE, run, verdict
from gauntlet.reports import page
from gauntlet.reports.page import render, verdict_page
from gauntlet.verdict import Verdict

GOLD = Path(__file__).parent / "gold"
TEMPLATES = Path(page.__file__).parent / "templates"
OUTSIDE = re.compile(r"""(src|href|url|@import)\s*[=(]\s*["']?\s*(https?:)?//""", re.IGNORECASE)


@pytest.fixture
def template(monkeypatch):
    """Render the source of a page's content as if it were a template file."""

    def render_source(source: str, view: object = None, **more: object) -> str:
        files = jinja2.DictLoader({"t": '{% extends "page.html.j2" %}{% import "kit.html.j2" as kit %}' + source})
        environment = page._environment().overlay(loader=jinja2.ChoiceLoader([files, page._environment().loader]))
        monkeypatch.setattr(page, "_environment", lambda: environment)
        return render("t", title="T", view=view, **more)

    return render_source


def test_a_verdict_page_is_what_it_was():
    gate_verdict = verdict()
    assert_gold(
        verdict_page(gate_verdict, title="Model quality", subtitle="adult"),
        GOLD / "verdict.html",
    )


def test_the_page_of_a_rollout_is_what_it_was():
    assert_gold(made("rollout-harm")[0], GOLD / "rollout-harm.html")


def test_the_same_view_gives_the_same_bytes():
    pages = {render("run.html.j2", title="x", view=run()) for _ in range(3)}
    assert len(pages) == 1
    assert pages.pop().endswith("</html>\n")


def test_everything_is_escaped(template):
    body = "{% block content %}{{ kit.table([view], [[view]], caption=view) }}{{ kit.tiles([(view, view, view)]) }}"
    body += "{{ kit.facts({view: view}) }}{{ kit.figure('', view) }}{{ kit.chip(view) }}{{ plots.bars([view], [1]) }}"
    body += "{% call kit.details(view) %}{{ view }}{% endcall %}{% call kit.callout() %}{{ view }}{% endcall %}"
    body += "{% endblock %}"
    hostile = replace(verdict(), summary=HOSTILE)
    gate_verdict = template(body, view=HOSTILE, subtitle=HOSTILE, verdict=hostile)
    assert "<script" not in gate_verdict
    assert gate_verdict.count("&lt;script&gt;") >= 14


def test_what_a_view_does_not_have_is_an_error(template):
    with pytest.raises(jinja2.UndefinedError, match="absent_field"):
        template("{% block content %}{{ view.absent_field }}{% endblock %}", view=run())


def test_nothing_is_fetched_from_anywhere():
    for gate_verdict in (render("run.html.j2", title="x", view=run()), verdict_page(verdict(), title="x")):
        assert not OUTSIDE.search(gate_verdict)
        assert "<script" not in gate_verdict
        assert "<link" not in gate_verdict


def test_every_page_there_is_can_be_made_and_is_looked_at_in_a_browser():
    pages = {file.name for file in TEMPLATES.glob("*.html.j2") if '{% extends "page.html.j2" %}' in file.read_text()}
    templates = {f"{name.split('-')[0]}.html.j2" for name in PAGES} - {"gallery.html.j2"}
    assert templates == pages


@pytest.mark.parametrize("name", sorted(PAGES))
def test_each_page_says_what_it_must_and_reads_nothing_from_outside(name):
    html, expected = made(name)
    assert not OUTSIDE.search(html)
    for words in expected:
        assert words in re.sub(r"<[^>]+>", "", html)


def test_no_template_names_an_outside_address():
    files = list(TEMPLATES.iterdir())
    assert len(files) >= 5
    for file in files:
        assert not OUTSIDE.search(file.read_text()), file.name


def test_what_needs_a_reader_comes_first_in_a_long_table_of_checks():
    gate_verdict = verdict(extra_passes=40)
    html = verdict_page(gate_verdict, title="x")
    assert "41 checks passed" in html
    order = [html.index(name) for name in ("The column has no values", "Log loss is", "Too few rows", "AUC 0.926")]
    assert order == sorted(order)


def test_a_checks_code_is_there_for_whoever_points_at_its_name():
    html = render("verdict.html.j2", title="x", view=verdict(), verdict=verdict())
    assert html.count('<b title="evaluate_performance.bound">') == len(verdict().checks)


def test_a_long_table_of_passes_alone_stands_open():
    gate_verdict = verdict(extra_passes=40)
    gate_verdict = replace(gate_verdict, checks=gate_verdict.checks[4:])
    assert "<details open>" in verdict_page(gate_verdict, title="x")


def test_a_verdict_without_checks_is_an_error_page_and_not_a_crash():
    empty = Verdict("g", (), "Nothing was checked.")
    html = verdict_page(empty, title="x")
    assert "Nothing was checked." in html
    assert "s-error" in html


def test_numbers_are_right_aligned(template):
    html = template('{% block content %}{{ kit.table(["a", "b"], [["x", "1"]], numbers=[1]) }}{% endblock %}')
    assert '<th class="num">b</th>' in html
    assert '<td class="num">1</td>' in html
    assert "<td>x</td>" in html


def test_an_empty_table_says_so(template):
    assert ">none</td>" in template('{% block content %}{{ kit.table(["a", "b"], []) }}{% endblock %}')
