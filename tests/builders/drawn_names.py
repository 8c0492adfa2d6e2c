"""Names of columns as people may write them, drawn by hypothesis, and rows to stand below them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from builders.names import NAMES

PLAIN = ("y", "id", "weight", "who", "site", "age", "income", "debt", "city", "owner")
LABEL, KEY, WEIGHT, CLUSTER, SITE = range(5)
NUMBERS, LETTERS = (5, 6, 7), (8, 9)
FEATURES = (SITE, *NUMBERS, *LETTERS)

SQL = (
    "select",
    "FROM",
    "where",
    "Order",
    "group by",
    "NULL",
    "join",
    "*",
    "--",
    "/* x */",
    "; drop table rows",
    "rowid",
)
OURS = (
    "example_id ",
    "label",
    "score",
    "weight",
    "cluster",
    "split",
    "train",
    "columns",
    "c0",
    "c1",
    "f0",
    "n",
    "slice:a",
)
OTHERS = (
    "feature",
    "__index_level_0__",
    "le",
    "quantile",
    "model_name",
    "{}",
    "{0}",
    "%s",
    "$1",
    "\\d+",
    "nan",
    "-1",
    "ID",
)
EMPTY = ("\u200b", "\u2060", "\u3164", "\u00ad", "\u2800", "\u200b\ufeff", "''", '""', "\u200e\u200f")
RIGHT_TO_LEFT = ("שלום", "مرحبا", "\u202eabc", "عمر (سنة)", "א[ב]", "a\u2067ב\u2069")

printable = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"))
texts = st.text(printable, min_size=1, max_size=20)
long = st.builds(lambda piece: (piece * 300)[:300], texts)
names = st.one_of(texts, long, st.sampled_from((*NAMES, *SQL, *OURS, *OTHERS, *EMPTY, *RIGHT_TO_LEFT)))


def tidy(name: str) -> str:
    """White space around names is taken off where files are read, and what is left may be nothing.

    A name that begins with U+FEFF cannot be told from the mark that a file begins with.
    """
    while (bare := name.strip().lstrip("\ufeff")) != name:
        name = bare
    return name or "_"


@st.composite
def tables(draw: st.DrawFn) -> list[str]:
    """Names of all columns, among them twins that differ by case alone."""
    found: list[str] = []
    while len(found) < len(PLAIN):
        name = tidy(draw(names))
        twins = draw(st.sampled_from([[], [], [tidy(name.swapcase())], [tidy(name.upper()), tidy(name.lower())]]))
        for one in (name, *twins):
            while one in found or one == "example_id":
                one += "'"
            found.append(one)
    return draw(st.permutations(found[: len(PLAIN)]))


def rows(count: int = 400) -> list[list[Any]]:
    """The table, by position of its columns: the first numbers tell the label apart, the last do not."""
    rng = np.random.default_rng(7)
    label = (rng.random(count) < 0.5).astype(int)
    numbers = [np.round(rng.normal(size=count) + shift * label, 3).tolist() for shift in (0.8, 0.5, 0.0)]
    letters = [rng.choice(["a", "b", "c"], count).tolist() for _ in range(2)]
    site = rng.choice(["north", "south"], count).tolist()
    who = [f"p{person}" for person in rng.integers(0, count // 2, count)]
    weight = np.round(rng.uniform(0.5, 1.5, count), 2).tolist()
    return [label.tolist(), list(range(100, 100 + count)), weight, who, site, *numbers, *letters]


def write_table(path: Path, called: Sequence[str], table: Sequence[Sequence[Any]]) -> str:
    """Write columns under names, and return the path as a source's URI."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(called)
        writer.writerows(zip(*table, strict=True))
    return str(path)


def roles(called: Sequence[str]) -> dict[str, Any]:
    """The roles of the first columns."""
    return {"label": called[LABEL], "key": [called[KEY]], "weight": called[WEIGHT], "cluster": called[CLUSTER]}
