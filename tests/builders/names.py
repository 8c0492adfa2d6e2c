"""Names that people give columns and that some library reads as something else, and tables of such columns."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

NAMES = (
    # what XGBoost, TFDV and MLflow refuse, quote or split at
    *("hours [h] <max>", "Temp (C)", "temp (C)", "Temp.C", "it's", 'a"b', "a,b", "a b", "a/b", "a//b", "..", "a\\b"),
    *("%", "#", "?", "@", "$", "*", "-", "a:b", "a=b", "{x}", "{{x}}", "<b>bold</b>", "&amp;", "a\nb", "x" * 300),
    # letters beyond ASCII
    *("ü", "größe", "日本", "🚲"),
    # what formats, queries and frames of ours and of libraries call theirs
    *("n", "h", "m", "there", "label", "score", "weight", "cluster", "slice:a", "new:a", "columns", "data", "inputs"),
    *("instances", "class", "index", "level_0", "f0", "f1", "prediction", "rows", "split", "None", "0", "1.0", "true"),
)
LABEL, KEY, WEIGHT = "y (%)", "ключ [id]", "w <kg>"
ROLES = {"label": LABEL, "key": [KEY], "weight": WEIGHT}
CATEGORICAL = NAMES[4::5]
NUMERIC = tuple(name for name in NAMES if name not in CATEGORICAL)


def columns(rows: int, seed: int, *, strange: bool = False) -> dict[str, list[object]]:
    """Numbers, and letters in every fifth column; strange ones are of other categories, and far out of range."""
    rng = np.random.default_rng(seed)
    label = (rng.random(rows) < 0.5).astype(int)
    found: dict[str, list[object]] = {LABEL: label.tolist(), KEY: (np.arange(rows) + 10_000 * seed).tolist()}
    for name in NAMES:
        if name in CATEGORICAL:
            found[name] = rng.choice(["zeta", "eta"] if strange else ["a", "b"], rows).tolist()
        else:
            values = np.round(rng.normal(size=rows) + 0.6 * label, 3)
            found[name] = (values * 1_000 + 7_777 if strange else values).tolist()
    found[WEIGHT] = np.round(rng.uniform(0.5, 1.5, rows), 2).tolist()
    return found


def write_csv(path: Path, held: dict[str, list[object]]) -> str:
    """Write columns, and return the path as a source's URI."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(held)
        writer.writerows(zip(*held.values(), strict=True))
    return str(path)
