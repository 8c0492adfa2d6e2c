"""Files of settings: plain values as written, and no key twice."""

import json

import pytest

from gauntlet.documents import read_settings_text
from gauntlet.errors import ConfigurationError


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *(("no", "no"), ("Off", "Off"), ("y", "y"), ("true", True), ("False", False), ("~", None), ("", None)),
        *(("1e-3", 0.001), (".5", 0.5), ("8", 8), ("8.0", 8.0), ("-0", 0), ("010", 10), ("1_000", "1_000")),
        *(("12:30", "12:30"), ("0x10", "0x10"), ("2020-01-01", "2020-01-01"), ("'1'", "1"), ("=", "=")),
    ],
)
def test_a_plain_value_is_what_yaml_1_2_says(written, value):
    found = read_settings_text(f"key: {written}", "a.yaml")["key"]
    assert found == value
    assert type(found) is type(value)


def test_shared_mappings_may_be_merged_and_overridden():
    text = "base: &b {a: 1, b: 2}\nx: {<<: *b, b: 3}\ny: {<<: *b}\nz: *b"
    read = read_settings_text(text, "a.yaml")
    assert (read["x"], read["y"], read["z"]) == ({"a": 1, "b": 3}, {"a": 1, "b": 2}, {"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "f, line 3: a: is given twice, first on line 1. Keep one of them."),
        ('a: 1\n"a": 1', "f, line 2: a: is given twice, first on line 1."),
        ("p:\n  q: {r: 1,\n r: 2}", "f, line 3: p.q.r: is given twice, first on line 2."),
        ("p:\n- a: 1\n- b: 1\n  b: 1", "f, line 4: p.1.b: is given twice, first on line 3."),
        ("b: &b {x: 1}\nc:\n  <<: *b\n  y: 1\n  y: 2", "f, line 5: c.y: is given twice, first on line 4."),
        ("{a: 1, b: 2,\na: 1}", "f, line 2: a: is given twice, first on line 1."),
        ('{"a": 1,\n\t"a": 2}', "f, line 2: a: is given twice, first on line 1."),
        ('{"a": [{}, {"x": "{,",\n"\\u0078": 2}]}', "f, line 2: a.1.x: is given twice, first on line 1."),
    ],
)
def test_a_key_given_twice_is_refused_with_both_lines(text, said):
    with pytest.raises(ConfigurationError) as caught:
        read_settings_text(text, "f")
    assert said in str(caught.value)


def test_equal_keys_of_different_mappings_are_no_matter():
    document = {"a": [{"x": 1}, {"x": ":,{["}], "b": {"x": {"x": []}}, "c": '"'}
    assert read_settings_text(json.dumps(document, indent="\t"), "f") == document
    assert read_settings_text("a: [{x: 1}, {x: 2}]\nb: {x: {x: 3}}", "f")["b"] == {"x": {"x": 3}}


@pytest.mark.parametrize("text", ["a: [1", "? [1, 2]\n: 3", "a: !!python/none x", "a: *b", "[" * 5000, '{"a":' * 5000])
def test_what_is_neither_yaml_nor_json_is_said_in_words(text):
    with pytest.raises(ValueError, match=r"\w+"):
        read_settings_text(text, "f")


def test_a_document_whose_aliases_hold_billions_of_values_is_refused_before_it_is_used():
    names = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9 if i else ['x'])}]" for i in range(12)]
    with pytest.raises(ValueError, match=r"aliases repeat so much that it holds 8e\+10 values"):
        read_settings_text("\n".join(names), "params.yaml")
    assert read_settings_text("a: &a [1, 2]\nb: [*a, *a]", "params.yaml") == {"a": [1, 2], "b": [[1, 2], [1, 2]]}
