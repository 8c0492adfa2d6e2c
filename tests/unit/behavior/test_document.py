"""YAML with lines: what it reads, what it refuses, and that nothing makes it crash."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.behavior.document import MOST_CHARACTERS, read_document
from gauntlet.errors import ConfigurationError, DataError

TEXT = """\
# a comment
golden:
  - name: first
    row:
      income: 1e3

  - name: second
    row: {income: 2,
          late: 3}
"""


def test_every_value_knows_its_line():
    document = read_document(TEXT, "suite.yaml")
    assert document.value["golden"][1]["row"] == {"income": 2, "late": 3}
    assert document.line("suite.golden") == 2
    assert document.line("suite.golden.0.row.income") == 5
    assert document.line("suite.golden.1.row.late") == 9
    assert document.line("suite.golden.1.row.unknown") == 8, "the nearest parent"
    assert document.line("suite") == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("1e-6", 1e-6),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("010", 10),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("~", None),
        ('"5"', "5"),
        ("+7", 7),
    ],
)
def test_a_value_is_what_it_looks_like(text, value):
    found = read_document(f"key: {text}", "x").value["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "x: is empty", id="nothing"),
        pytest.param("# only a comment\n", "x: is empty", id="a comment"),
        pytest.param("a: 1\nb: 2\na: 3\n", "x, line 3: suite.a: is given twice, first on line 1", id="twice"),
        pytest.param("a: &here 1\nb: *here\n", "x, line 2: is not YAML that can be read; found 'an alias", id="alias"),
        pytest.param("a: 1\nb: !!python/name:os.system x\n", "x, line 2: is not YAML", id="a tag"),
        pytest.param("a: !!bool maybe\n", "'maybe' cannot be read as bool", id="a wrong tag"),
        pytest.param("a: 1\n---\nb: 2\n", "x, line 2: is not YAML", id="two documents"),
        pytest.param("a: 1\n b: 2\n", "x, line 2: is not YAML", id="indented"),
        pytest.param("a: [1, 2\n", "x, line 2: is not YAML", id="not closed"),
        pytest.param("? [1, 2]\n: 3\n", "x, line 1: is not YAML", id="a key that is a list"),
        pytest.param("a: \x00", "x", id="a control character"),
        pytest.param('a: "\\ud800"', "x, line 1: is not YAML", id="half a character"),
        pytest.param("[" * 3000, "x", id="nested"),
        pytest.param("a: " + "9" * 6000, "x, line 1: is not YAML", id="an endless number"),
        pytest.param("#" * (MOST_CHARACTERS + 1), "x: has more than 1,000,000 characters", id="a book"),
    ],
)
def test_what_cannot_be_read_says_where(text, words):
    with pytest.raises(ConfigurationError, match=r"^x") as caught:
        read_document(text, "x")
    assert words in str(caught.value)
    assert caught.value.mend


def test_only_paths_of_the_file_get_its_lines():
    document = read_document(TEXT, "suite.yaml")
    income = r"^suite.yaml, line 5: suite.golden.0.row.income: is wrong"
    with pytest.raises(ConfigurationError, match=income), document.located():
        raise ConfigurationError("is wrong", field="suite.golden.0.row.income")
    with pytest.raises(DataError, match=r"^model: is wrong"), document.located():
        raise DataError("is wrong", field="model")


@given(st.text(max_size=60) | st.text(alphabet="{}[]:,-?&*!|>'\"%@`#ab1 \n\t", max_size=40))
def test_any_text_is_read_or_refused_in_words(text):
    refusal = ""
    try:
        read_document(text, "x")
    except ConfigurationError as error:
        refusal = str(error)
    assert refusal == "" or refusal.startswith("x")


_TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=50)
_SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT
)
_TREES = st.recursive(
    _SCALARS, lambda tree: st.lists(tree, max_size=3) | st.dictionaries(_TEXT, tree, max_size=3), max_leaves=12
)


@given(st.dictionaries(_TEXT, _TREES, min_size=1, max_size=4))
def test_what_json_writes_is_read_as_it_was(tree):
    text = json.dumps(tree)
    assert read_document(text, "x").value == json.loads(text) == tree


def test_what_pyyaml_writes_is_read_as_it_was():
    tree = {"a": [1, 2.5, "no", "yes", None, True, "2024-01-01", " spaced "], "b": {"c": "x: y # z"}}
    assert read_document(yaml.safe_dump(tree), "x").value == tree
