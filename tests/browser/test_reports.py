"""Every report in a real browser: it renders, fits, reads nothing from outside, and has a dark side."""

import re

import pytest

from builders import browser
from builders.pages import PAGES, made

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(browser.CHROMIUM is None, reason=browser.HOW_TO_ENABLE),
]

OUTSIDE = re.compile(r"""(?:src|href|url|@import)\s*[=(]\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)


@pytest.fixture(params=sorted(PAGES))
def page(request, tmp_path):
    """Each page as a file, and a few words a reader must find in it."""
    html, expected = made(request.param)
    file = tmp_path / f"{request.param}.html"
    file.write_text(html)
    return file, expected


@pytest.mark.parametrize("width", [800, 1600])
def test_a_page_is_laid_out_whole(page, width):
    file, expected = page
    document, found = browser.laid_out(file, width=width)
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", document, flags=re.DOTALL)
    for words in expected:
        assert words in text
    assert found["wide"] <= found["window"], "the page needs sideways scrolling"
    assert found["scrolling"] == []
    assert found["sticking"] == []
    assert found["overlapping"] == []


def test_a_page_fits_a_narrow_window_and_only_wide_tables_scroll(page):
    _, found = browser.laid_out(page[0], width=600)
    assert found["wide"] <= found["window"], "the page needs sideways scrolling"
    assert [table for table in found["scrolling"] if table.startswith("Status")] == [], "checks and tasks fold"
    assert found["sticking"] == []
    assert found["overlapping"] == []


def test_a_page_has_ink_and_a_dark_side(page, tmp_path):
    file, _ = page
    empty = tmp_path / "empty.html"
    empty.write_text("<!doctype html><title>empty</title>")
    light = browser.screenshot(file)
    assert browser.ink(light) > 1000 + 3 * browser.ink(browser.screenshot(empty))
    assert browser.screenshot(file, dark=True) != light


def test_a_page_reads_nothing_from_outside(page):
    file, _ = page
    assert not OUTSIDE.search(file.read_text())
