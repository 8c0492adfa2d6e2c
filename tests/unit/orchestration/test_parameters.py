from __future__ import annotations

import json

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.parameters import check_parameters, read_parameters

SPEC = {
    "root": {
        "inputDefinitions": {
            "parameters": {
                "data": {"parameterType": "LIST", "description": "Files."},
                "seed": {"parameterType": "NUMBER_INTEGER", "isOptional": True},
                "rate": {"parameterType": "NUMBER_DOUBLE", "isOptional": True},
                "name": {"parameterType": "STRING", "isOptional": True},
                "deep": {"parameterType": "BOOLEAN", "isOptional": True},
                "policy": {"parameterType": "STRUCT", "isOptional": True},
            }
        }
    }
}


def test_good_parameters_pass_as_they_are():
    values = {"data": [1, "a"], "seed": 3, "rate": 1, "name": "x", "deep": False, "policy": {"a": {"b": [0.5, True]}}}
    assert check_parameters(SPEC, values) == values


def test_null_means_the_default_and_a_whole_float_is_a_whole_number():
    checked = check_parameters(SPEC, {"data": [], "name": None, "seed": 2.0})
    assert checked == {"data": [], "seed": 2}
    assert isinstance(checked["seed"], int)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "data: is required: Files."),
        ({"data": None}, "data: is required"),
        ({"data": [], "sede": 1}, "parameters: unknown parameter; found 'sede'. Did you mean 'seed'?"),
        ({"data": [], "zzzzz": 1}, "Use one of: data, seed"),
        ({"data": {}}, "data: must be a list"),
        ({"data": [], "seed": 1.5}, "seed: must be a whole number; found 1.5"),
        ({"data": [], "seed": True}, "seed: must be a whole number"),
        ({"data": [], "seed": "1"}, "seed: must be a whole number"),
        ({"data": [], "rate": float("nan")}, "rate: must be a number"),
        ({"data": [], "name": 3}, 'Write name: "3"'),
        ({"data": [], "deep": 1}, "deep: must be true or false"),
        ({"data": [], "policy": []}, "policy: must be a mapping"),
        ({"data": [{"a": None}]}, "data[0].a: null cannot be passed"),
        ({"data": [float("inf")]}, "data[0]: is not a finite number"),
        ({"data": [2**53 + 1]}, "data[0]: is too large to be passed exactly"),
        ({"data": [], "policy": {1.5: 2}}, 'policy: keys must be text; found 1.5. Write "1.5": …'),
        ({"data": [{"a": {"1": 2, 1: 3}}]}, "data[0].a: is given twice, as text and not; found 1. Keep one of them."),
    ],
)
def test_bad_parameters_name_the_field_the_value_and_the_mend(values, message):
    with pytest.raises(ConfigurationError) as caught:
        check_parameters(SPEC, values)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_whole_numbers_and_booleans_are_keys_by_their_text():
    given = {"data": [{"labels": {"race": {0: "Black", True: 1}}}], "policy": {3: {4: 5}}}
    assert check_parameters(SPEC, given) == {
        **check_parameters(SPEC, {"data": []}),
        "data": [{"labels": {"race": {"0": "Black", "true": 1}}}],
        "policy": {"3": {"4": 5}},
    }


def test_a_pipeline_without_parameters_says_so():
    with pytest.raises(ConfigurationError, match="the pipeline takes none"):
        check_parameters({"root": {}}, {"a": 1})


def test_yaml_and_json_are_read(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("seed: 3\ndata: [{uri: a.csv}]\n")
    assert read_parameters(path) == {"seed": 3, "data": [{"uri": "a.csv"}]}
    path.write_text(json.dumps({"seed": 4}))
    assert read_parameters(path) == {"seed": 4}
    path.write_text("")
    assert read_parameters(path) == {}


def test_a_value_is_what_is_written(tmp_path):
    """YAML 1.1 makes a date, a boolean, text and minutes of these."""
    path = tmp_path / "params.yaml"
    path.write_text("data: [2020-01-01, no, 1e-3, 12:30, 017]\nname: off\n")
    values = {"data": ["2020-01-01", "no", 0.001, "12:30", 17], "name": "off"}
    assert check_parameters(SPEC, read_parameters(path)) == values


def test_a_limit_given_twice_is_refused_before_the_last_one_wins(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("data: []\npolicy: {min: 0.99}\npolicy: {min: 0.1}\n")
    with pytest.raises(
        ConfigurationError, match=r"params\.yaml, line 3: policy: is given twice, first on line 2\. Keep"
    ):
        read_parameters(path)


@pytest.mark.parametrize("text", ["- a\n", "a: [", "\x00"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"params\.yaml"):
        read_parameters(path)
    with pytest.raises(ConfigurationError, match=r"other\.yaml: cannot be read"):
        read_parameters(tmp_path / "other.yaml")


def test_json_says_what_json_says(tmp_path):
    """To YAML the first were text, and the second two halves of a character that no file can hold."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"rate": 1e-05, "name": "🚲, \u2028 \x7f"}))
    assert read_parameters(path) == {"rate": 0.00001, "name": "🚲, \u2028 \x7f"}
    path.write_text("{seed: 3, name: x}")
    assert read_parameters(path) == {"seed": 3, "name": "x"}


@pytest.mark.parametrize("text", [r'{"name": "\ud83d"}', r'name: "\ud83d\ude97"'])
def test_half_a_character_is_refused(tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_parameters(path)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("seed: 3\n", encoding="utf-8-sig")
    assert read_parameters(path) == {"seed": 3}
