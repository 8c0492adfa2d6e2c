"""Jinja filters for text: backticks to code, and line breaks in long words."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_QUOTED = re.compile(r"`([^`\n]+)`")
_LONG_WORD = re.compile(r"\S{25,}")
_MAY_BREAK_AFTER = re.compile(r"([_\-./:=,;|]+|[^_\-./:=,;|]{24})(?=.)")


def prose(sentence: str) -> Markup:
    """Format text in backticks as code; everything else is plain text."""
    parts = _QUOTED.split(sentence)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if position % 2 else escape(part) for position, part in enumerate(parts)
    )


def breakable(cell: object) -> Markup:
    """Allow line breaks in words of 25 characters and more, at separators or else every 24 characters.

    Shorter words stay whole, so a column is never narrower than its longest one. Markup is returned unchanged.
    """
    if hasattr(cell, "__html__"):
        return escape(cell)
    pieces: list[Markup] = []
    text, end = str(cell), 0
    for word in _LONG_WORD.finditer(text):
        pieces.append(escape(text[end : word.start()]))
        parts = _MAY_BREAK_AFTER.sub(lambda match: f"{match.group(1)}\0", word.group()).split("\0")
        pieces.append(Markup("<wbr>").join(parts))
        end = word.end()
    return Markup("").join([*pieces, escape(text[end:])])
