"""Perturbations of text: case, whitespace, typos. Nulls stay nulls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def in_case(texts: pa.Array, to: str) -> pa.Array:
    """Change the case: ``upper | lower | title | swap``."""
    import pyarrow.compute as pc

    ways: Mapping[str, Callable[[Any], Any]] = {
        "upper": pc.utf8_upper,
        "lower": pc.utf8_lower,
        "title": pc.utf8_title,
        "swap": pc.utf8_swapcase,
    }
    return ways[to](texts)


def with_spaces(texts: pa.Array, where: str) -> pa.Array:
    """Add spaces: ``leading | trailing | around``, or each inner one ``doubled``."""
    import pyarrow.compute as pc

    match where:
        case "leading":
            return pc.binary_join_element_wise(" ", texts, "")
        case "trailing":
            return pc.binary_join_element_wise(texts, " ", "")
        case "around":
            return pc.binary_join_element_wise(" ", texts, " ", "")
        case "doubled":
            return pc.replace_substring(texts, " ", "  ")
    raise ValueError(where)


def with_typos(texts: pa.Array, slips: int, rng: np.random.Generator) -> pa.Array:
    """Make ``slips`` typos in each value; empty text stays empty."""
    import pyarrow as pa

    return pa.array([_with_typos(text, slips, rng) if text else text for text in texts.to_pylist()], pa.string())


def _with_typos(text: str, slips: int, rng: np.random.Generator) -> str:
    for _ in range(slips):
        at = int(rng.integers(len(text)))
        neighbours = [i for i in range(len(text) - 1) if text[i] != text[i + 1]]
        match int(rng.integers(4)):
            case 0 if neighbours:
                i = neighbours[int(rng.integers(len(neighbours)))]
                text = text[:i] + text[i + 1] + text[i] + text[i + 2 :]
            case 1 if len(text) > 1:
                text = text[:at] + text[at + 1 :]
            case 2:
                wrong = _LETTERS.replace(text[at].lower(), "")
                letter = wrong[int(rng.integers(len(wrong)))]
                text = text[:at] + (letter.upper() if text[at].isupper() else letter) + text[at + 1 :]
            case _:
                text = text[: at + 1] + text[at:]
    return text
