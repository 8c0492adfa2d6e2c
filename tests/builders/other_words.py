"""Everything said in other words: what reads a verdict or a journal must not notice.

While ``reworded`` is in force, every name, sentence and summary of a check or verdict becomes a marker the moment it is
made; so not only what comes after a gate, but the gate itself works with sentences that it has never seen. Afterwards
the markers are turned back, and what came out must be what comes out without them, text by text and number by number.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
import pytest
from pydantic import BaseModel

from gauntlet.verdict import Check, Verdict

T = TypeVar("T")

_MARKER = re.compile(r"⟦(\d+)⟧")
_SENTENCES = ("sentence", "reason", "power")


class Words:
    """Texts and the markers that stand for them."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def instead_of(self, text: str) -> str:
        """The marker for a text; it keeps the full stop, which others take off and put on. Nothing stays nothing."""
        if not text or _MARKER.fullmatch(text.rstrip(".")):
            return text
        stop = "." if text.endswith(".") else ""
        body = text.removesuffix(".")
        if body not in self._texts:
            self._texts.append(body)
        return f"⟦{self._texts.index(body)}⟧{stop}"

    def back(self, text: str) -> str:
        """A text with every marker in it turned back."""
        while _MARKER.search(text):
            text = _MARKER.sub(lambda found: self._texts[int(found[1])], text)
        return text


@contextmanager
def reworded() -> Iterator[Words]:
    """Let every check and verdict that is made speak in markers."""
    words = Words()

    def speak(kind: type, *fields: str) -> Callable[[Any], None]:
        before = kind.__post_init__

        def made(self: Any) -> None:
            before(self)
            for name in fields:
                object.__setattr__(self, name, words.instead_of(getattr(self, name)))

        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Check, "__post_init__", speak(Check, "name", "reason"))
        patch.setattr(Verdict, "__post_init__", speak(Verdict, "summary"))
        yield words


def in_other_words(value: T, words: Words) -> T:
    """A journal, or any record of records, with every sentence in it replaced."""
    if isinstance(value, tuple):
        return type(value)(in_other_words(one, words) for one in value)  # type: ignore[return-value]
    if not dataclasses.is_dataclass(value):
        return value
    changed = {
        field.name: words.instead_of(found)
        if field.name in _SENTENCES and isinstance(found, str)
        else in_other_words(found, words)
        for field in dataclasses.fields(value)
        for found in [getattr(value, field.name)]
    }
    return dataclasses.replace(value, **changed)  # type: ignore[type-var]


def plain(value: Any, words: Words | None = None) -> Any:
    """Whatever was made as values that can be compared, in the words that were there before."""
    if isinstance(value, str):
        return str(value) if words is None else words.back(value)
    if isinstance(value, float | datetime):
        return repr(value)
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist(), words)
    if isinstance(value, BaseModel):
        return plain(value.model_dump(), words)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name), words) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {plain(key, words): plain(one, words) for key, one in value.items()}
    if isinstance(value, Set):
        return sorted(plain(one, words) for one in value)
    if isinstance(value, Sequence):
        return [plain(one, words) for one in value]
    assert value is None or isinstance(value, int), f"{type(value)} cannot be compared"
    return value


def differences(before: Any, after: Any, words: Words) -> Iterator[str]:
    """Where what was made in other words is not what was made in ours; a sentence may begin small within another."""
    yield from _differences(plain(before), plain(after, words), "it")


def require_same_in_other_words(make: Callable[[], Any]) -> None:
    """Make something twice, once in the product's words and once in others: it must be the same.

    Raises:
        AssertionError: something was decided, counted, chosen or said otherwise.
    """
    before = make()
    with reworded() as words:
        after = make()
    found = [*differences(before, after, words)]
    assert not found, "\n".join(found)


def _differences(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for key in before:
            yield from _differences(before[key], after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from _differences(*pair, f"{path}[{index}]")
    elif isinstance(before, str) and isinstance(after, str) and before.casefold() == after.casefold():
        return
    elif before != after:
        yield f"{path} is {after!r} in other words, {before!r} in ours"
