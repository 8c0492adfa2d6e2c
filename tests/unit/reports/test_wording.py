from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from builders.reports import HOSTILE
from gauntlet.reports.wording import breakable, prose


def test_what_a_sentence_quotes_is_code():
    assert prose("In serving, `age` and `sex` moved.") == "In serving, <code>age</code> and <code>sex</code> moved."


def test_one_backtick_is_a_backtick():
    assert prose("a ` b") == "a ` b"


def test_quoted_and_plain_words_are_escaped():
    assert "<script" not in prose(f"`{HOSTILE}` {HOSTILE}")


def test_a_long_name_may_break_at_its_separators_and_a_short_one_not():
    assert breakable("native_country") == "native_country"
    assert breakable("native_country=Holand-Netherlands") == "native_<wbr>country=<wbr>Holand-<wbr>Netherlands"
    assert breakable("a" * 50) == f"{'a' * 24}<wbr>{'a' * 24}<wbr>aa"


def test_only_the_long_words_of_a_cell_are_touched():
    assert breakable("see a-b " + "x" * 30) == f"see a-b {'x' * 24}<wbr>{'x' * 6}"


def test_markup_passes_as_it_is():
    assert breakable(Markup("<b>x</b>")) == "<b>x</b>"


@given(st.text(alphabet="ab<&_-. ", max_size=200))
def test_no_character_is_lost(text):
    assert breakable(text).replace("<wbr>", "") == str(Markup.escape(text))
