import math
import re

from gauntlet.reports.plots import relation

X = [float(value) for value in range(1, 101)]


def circles(drawn: str) -> int:
    return len(re.findall("<circle", drawn))


def test_pairs_and_the_line_are_drawn() -> None:
    drawn = str(relation(X, [0.01 * value - 200 for value in X], x="stored", y="recomputed", line=(0.01, -200.0)))
    assert circles(drawn) == 100
    assert "the line found" in drawn
    assert "unchanged" not in drawn  # the two ranges have nothing in common


def test_where_values_could_be_equal_the_diagonal_says_where() -> None:
    drawn = str(relation(X, [value + 5 for value in X], x="stored", y="recomputed"))
    assert "unchanged" in drawn
    assert "the line found" not in drawn


def test_what_cannot_be_drawn_is_left_out() -> None:
    drawn = str(relation([1.0, math.nan, math.inf, 4.0], [1.0, 2.0, 3.0, math.nan], x="a", y="b"))
    assert circles(drawn) == 1
    assert circles(str(relation([], [], x="a", y="b", line=(0.0, 1e9)))) == 0


def test_many_pairs_are_thinned_and_names_are_escaped() -> None:
    drawn = str(relation(X * 100, X * 100, x="<stored>", y="b"))
    assert 200 < circles(drawn) <= 500
    assert "<stored>" not in drawn
