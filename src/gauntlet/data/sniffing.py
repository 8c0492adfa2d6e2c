"""What a file of text seems to be, where it is not what the options say: for messages, never to act upon.

Looks at the beginning of a file alone, as a person would in an editor.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|", ":", "^", "~", " ")
_LINES = 50
_MOST_BYTES = 1 << 16
_ENCODINGS = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "gb18030", "big5", "euc_kr")
_BETWEEN_WORDS = re.compile(r"\s{2,}")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*")
_EXCERPT = 24


@dataclass(frozen=True)
class Finding:
    """What a file is taken for, and what to do about it."""

    message: str
    value: str
    mend: str


def shape_of(lines: Sequence[str], delimiter: str) -> Finding | None:
    """What lines are that are no table divided by this delimiter; arguments as ``delimiter_of``."""
    if lines and lines[0].lstrip().startswith('{"'):
        return Finding("the lines are JSON", lines[0], 'Set reader.format: "jsonl"')
    return delimiter_of(lines, delimiter) or title_of(lines, delimiter)


def delimiter_of(lines: Sequence[str], delimiter: str) -> Finding | None:
    """What divides lines, if it is not this delimiter.

    Args:
        lines: the first lines, without those that are comments.
        delimiter: by which they were divided.

    >>> found = delimiter_of(["x;z;y", "-0,95;6,0;0", "-0,36;5,8;1"], ",")
    >>> found.message, found.mend
    ('the first line holds ";" 2 times', 'Set reader.delimiter: ";"')
    """
    whole = [line for line in lines if line.strip()][:_LINES]
    if len(whole) < 2 or _divides(whole, delimiter) > 1:
        return None
    said = _SEPARATOR_LINE.fullmatch(whole[0])
    if said and len(said[1]) == 1:
        settings = {"comment": whole[0].strip(), "delimiter": said[1]}
        return Finding("the first line names a delimiter", whole[0], f"Say so: reader: {_json(settings)}")
    divided = ((_divides(whole, sign), sign) for sign in DELIMITERS if sign != delimiter)
    fields, found = max(divided, key=lambda one: one[0])
    for sign in ("::", "||", ";;"):
        if whole[0].count(sign) and len({line.count(sign) for line in whole}) == 1:
            mend = "Write one character between fields at the source"
            return Finding(f"fields are divided by {_json(sign)}, of two characters", whole[0], mend)
    columns = {len(_BETWEEN_WORDS.split(line.strip())) for line in whole}
    if (fields < 2 or found == " ") and len(columns) == 1 and columns.pop() > 1:
        return Finding("columns are set apart by several spaces", whole[0], "Write it with commas at the source")
    if fields > 1:
        how = f"the first line holds {_json(found)} {fields - 1} times"
        return Finding(how, whole[0], f"Set reader.delimiter: {_json(found)}")
    return None


def title_of(lines: Sequence[str], delimiter: str) -> Finding | None:
    """What precedes the header: a title, alone in its line, before lines that all have more fields."""
    whole = [line for line in lines if line.strip()][:_LINES]
    counts = [_fields(line, delimiter) for line in whole]
    if len(counts) < 3:
        return None
    usual, times = Counter(counts[1:]).most_common(1)[0]
    before = next((row for row, count in enumerate(counts) if count == usual), 0)
    if not before or counts[before:].count(usual) < len(counts) - before or times < 2 or max(counts[:before]) >= usual:
        return None
    message = f"the first line has {_number(counts[0])}, and those after it have {usual}"
    if before == 1:
        return Finding(message, whole[0], f"If it is a title, leave it out: reader.comment: {_json(whole[0])}")
    return Finding(message, whole[0], f"If they are a title, remove the first {before} lines at the source")


def encoding_of(lines: Iterable[bytes]) -> Finding | None:
    """The encoding of lines that are no UTF-8, and a word of them in it; ``None``: they are, or nobody can tell."""
    odd: list[tuple[int, bytes]] = []
    for number, line in enumerate(lines, start=1):
        try:
            line.decode()
        except UnicodeDecodeError:
            odd.append((number, line))
        if len(odd) >= _LINES:
            break
    if not odd:
        return None
    number, first = odd[0]
    encoding = _guess(b"".join(line for _, line in odd)[:_MOST_BYTES])
    if encoding is None:
        mend = "Set reader.encoding to the file's encoding"
        return Finding(f"line {number} is no UTF-8", repr(first[:_EXCERPT])[1:], mend)
    mend = f"Set reader.encoding: {_json(encoding)}, if that is what it should say"
    return Finding(f"line {number} is no UTF-8; as {encoding}, it is", _excerpt(first.decode(encoding)), mend)


def _guess(sample: bytes) -> str | None:
    try:
        from charset_normalizer import from_bytes
    except ImportError:  # an image that reads no files of others
        best = None
    else:
        best = from_bytes(sample, cp_isolation=list(_ENCODINGS)).best()
    encoding = codecs.lookup(best.encoding).name if best else "cp1252"
    try:
        western = sample.decode("cp1252")
    except UnicodeDecodeError:
        return encoding if best else None
    return "cp1252" if western == sample.decode(encoding) else encoding


def _excerpt(line: str) -> str:
    """The first word that is not of ASCII."""
    words = re.findall(r"[^\s,;\t|]*[^\x00-\x7f][^\s,;\t|]*", line)
    return words[0].strip("\"'")[:_EXCERPT] if words else line.strip()[:_EXCERPT]


def _divides(lines: Sequence[str], delimiter: str) -> int:
    """How many fields all lines have alike; 0 if they do not."""
    counts = {_fields(line, delimiter) for line in lines}
    return counts.pop() if len(counts) == 1 else 0


def _fields(line: str, delimiter: str) -> int:
    return len(next(csv.reader([line], delimiter=delimiter), []))


def _number(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
