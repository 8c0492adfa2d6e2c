"""Files that are not what the options say: the message says what they are, and its setting reads them."""

import json

import pytest

from builders.mends import ways_out
from builders.sources import ALL_TRAIN, load
from gauntlet.errors import DataError

ROWS = [(number / 4, f"n{number}", number % 2) for number in range(40)]
HEADER = ("x", "n", "y")


def table(sign, decimal="."):
    lines = (sign.join(map(str, row)).replace(".", decimal) for row in [HEADER, *ROWS])
    return "\n".join(lines) + "\n"


def stop(tmp_path, content, name="a.csv", **reader):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        load(path, tmp_path / "out", reader=reader, split=ALL_TRAIN)
    assert caught.value.field == str(path)
    return path, caught.value


@pytest.mark.parametrize("sign", [";", "\t", "|", ":", " ", "^"])
def test_another_delimiter(tmp_path, sign):
    path, error = stop(tmp_path, table(sign))
    assert f"the first line holds {json.dumps(sign)} 2 times" in error.message
    (way,) = ways_out(error.mend)
    columns = load(path, tmp_path / "out", reader=way, split=ALL_TRAIN).columns
    assert columns == {"x": "float", "n": "string", "y": "int"}


@pytest.mark.parametrize(
    ("content", "name", "reader"),
    [
        (table(";", ","), "a.csv", {}),
        (table(";"), "a.csv", {"header": False, "column_names": HEADER, "comment": "x"}),
        (table(","), "a.csv", {"delimiter": ";"}),
        (table(","), "a.tsv", {}),
        ("sep=;\n" + table(";", ","), "a.csv", {}),
        ("Sales of 2024\n" + table(","), "a.csv", {}),
        ("Sales of 2024, in thousands\n" + table(";"), "a.csv", {"delimiter": ";"}),
        ("\n".join(json.dumps({"x": x, "n": n, "y": y}) for x, n, y in ROWS), "a.csv", {}),
    ],
    ids=["decimal commas", "no header", "one too many", "no tabs", "Excel's line", "a title", "a longer one", "JSON"],
)
def test_what_the_message_says_is_another_step(tmp_path, content, name, reader):
    path, error = stop(tmp_path, content, name, **reader)
    (way,) = ways_out(error.mend)
    options = {"types": {"x": "string", "y": "string"}, **reader, **way}
    assert set(load(path, tmp_path / "out", reader=options, split=ALL_TRAIN).columns) == {"x", "n", "y"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (table("::"), "of two characters"),
        (table("    "), "set apart by several spaces"),
        ("Sales\nof 2024\n" + table(","), "remove the first 2 lines"),
        (table(",") + "1,2\n", "Every line needs the same number of fields"),
    ],
)
def test_what_no_setting_reads(tmp_path, content, says):
    _, error = stop(tmp_path, content)
    assert says in str(error)


@pytest.mark.parametrize("content", ["y\n" + "0\n1\n" * 20, "a b,y\n1 2,0\n3 4,1\n", "x:y,y\n1:2,0\n3:4,1\n"])
def test_tables_as_they_are(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    assert "y" in load(tmp_path / "a.csv", tmp_path / "out", split=ALL_TRAIN).columns


@pytest.mark.parametrize(
    ("encoding", "word", "form"),
    [
        ("cp1252", "Müller", "csv"),
        ("cp1252", "Müller", "jsonl"),
        ("cp1252", "“Größe”", "csv"),
        ("cp1251", "Москва", "jsonl"),
        ("shift_jis", "田中さん", "csv"),
        ("cp1250", "Zażółć gęślą jaźń", "csv"),
    ],
)
def test_another_encoding(tmp_path, encoding, word, form):
    rows = [*ROWS, (1.5, word, 0), (2.5, word, 1)]
    if form == "csv":
        text = "\n".join(",".join(map(str, row)) for row in [HEADER, *rows])
    else:
        text = "\n".join(json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) for row in rows)
    path, error = stop(tmp_path, text.encode(encoding), f"a.{form}")
    assert f"line {42 if form == 'csv' else 41} is no UTF-8" in error.message
    (way,) = ways_out(error.mend)
    assert load(path, tmp_path / "out", reader=way, split=ALL_TRAIN).table("train")["n"].to_pylist()[-1] == word
