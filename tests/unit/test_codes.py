"""The codes of checks, in the source, on the page for users and where they are read."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from builders.codes import Sources, Unreadable
from gauntlet.gates import GATES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "codes.md"
CODE = re.compile(r"[a-z_]+(\.[a-z_]+)+")
NAMES = {gate.name for gate in GATES}
OWN = re.compile(rf"({'|'.join(sorted(NAMES))})(\.[a-z_]+)+")


@cache
def library() -> Sources:
    return Sources.of(ROOT / "src")


def listed(page: str) -> list[str]:
    """The codes in the first column of the page's tables, each with the heading it stands under checked."""
    found = []
    for section in page.split("\n## ")[1:]:
        gate = section.partition("\n")[0]
        cells = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
        codes = [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]
        assert all(code.startswith(f"{gate}.") for code in codes), gate
        found += codes
    return found


def read_codes(sources: Sources) -> dict[str, str]:
    """Every text in the source that can only be a code → where it stands."""
    texts = (
        (node.value, f"{module}, line {node.lineno}")
        for module, tree in sources.trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {text: where for text, where in texts if OWN.fullmatch(text)}


def test_every_check_has_a_code_of_a_gate_that_exists():
    codes = library().codes()
    assert not [(code, where) for code, where in codes.items() if not CODE.fullmatch(code)]
    assert not [(code, where) for code, where in codes.items() if code.partition(".")[0] not in NAMES]
    assert {code.partition(".")[0] for code in codes} == NAMES, "a gate without a finding"


def test_the_page_lists_the_codes_of_the_source_and_no_others():
    page = listed(PAGE.read_text())
    assert sorted(page) == sorted(set(page))
    assert sorted(page) == sorted(library().codes())


def test_the_pages_sections_are_the_gates_in_their_order():
    assert re.findall(r"^## (\w+)$", PAGE.read_text(), re.MULTILINE) == [gate.name for gate in GATES]


def test_who_reads_a_code_reads_one_that_is_given():
    sources = library()
    assert not read_codes(sources).keys() - sources.codes().keys()


PLANTED = {
    "a literal": 'Check("auc", PASS, why, code="g.bound")',
    "a choice": 'Check("auc", PASS, why, code="g.bound" if auc else "g.other")',
    "a constant": 'KIND = "g.bound"\ndef judge():\n    return Check("auc", PASS, why, code=KIND)',
    "a local name": 'def judge():\n    kind = "g.bound"\n    return Check("auc", PASS, why, code=kind)',
    "a table": 'KINDS = {1: "g.bound", 2: "g.other"}\nCheck("auc", PASS, why, code=KINDS[one])',
    "an enumeration": (
        'class Kind(StrEnum):\n    BOUND = "bound"\n    OTHER = "other"\n'
        "class Found:\n    kind: Kind\n"
        'def judge(found: Found):\n    return Check("auc", PASS, why, code=f"g.{found.kind.value}")'
    ),
    "a Literal": (
        'Kind = Literal["bound", "other"]\n'
        'def judge(kind: Kind, way: Literal["one"]):\n    return Check("auc", PASS, why, code=f"g.{kind}.{way}")'
    ),
    "a parameter": (
        'def judge(code: str):\n    return Check("auc", PASS, why, code=code)\n'
        'judge(code="g.bound")\njudge(code="g.other")'
    ),
    "a field": (
        "class Limit:\n    code: str\n"
        'def judge(limit: Limit):\n    return Check("auc", PASS, why, code=limit.code)\njudge(Limit(code="g.bound"))'
    ),
}
CODES = {
    "a choice": {"g.bound", "g.other"},
    "a table": {"g.bound", "g.other"},
    "an enumeration": {"g.bound", "g.other"},
    "a Literal": {"g.bound.one", "g.other.one"},
    "a parameter": {"g.bound", "g.other"},
}


@pytest.mark.parametrize("how", PLANTED)
def test_a_code_is_followed_to_its_texts(how):
    assert set(Sources({"g": PLANTED[how]}).codes()) == CODES.get(how, {"g.bound"})


def test_a_constant_is_followed_through_an_import():
    sources = Sources(
        {"kinds": 'KIND = "g.bound"', "gate": 'from kinds import KIND\nCheck("auc", PASS, why, code=KIND)'}
    )
    assert sources.codes() == {"g.bound": "gate, line 2"}


@pytest.mark.parametrize(
    "text",
    [
        'Check("auc", PASS, why)',
        'Check("auc", PASS, why, code=kind)',
        'Check("auc", PASS, why, code="g." + name)',
        'Check("auc", PASS, why, code=f"g.{name}")',
        'Check("auc", PASS, why, code=code_of(name))',
        'def judge(code: str):\n    return Check("auc", PASS, why, code=code)',
        'def judge(code: str):\n    return Check("auc", PASS, why, code=code)\njudge(code="g.bound")\njudge("g.other")',
        'def judge(column: str):\n    return Check("auc", PASS, why, code=f"g.{column}")',
    ],
)
def test_a_code_that_nobody_can_promise_is_refused(text):
    with pytest.raises(Unreadable):
        Sources({"g": text}).codes()


def test_a_copy_of_a_check_needs_no_code_of_its_own():
    assert Sources({"g": "Check(**before)"}).codes() == {}


def test_a_page_that_lists_another_code_or_lacks_one_is_found_out():
    page = PAGE.read_text()
    codes = sorted(library().codes())
    assert sorted(listed(page.replace("`rollout.outcome`", "`rollout.ending`"))) != codes
    assert sorted(listed(page.replace("| `rollout.outcome` |", "| rollout.outcome |"))) != codes
    with pytest.raises(AssertionError, match="shadow"):
        listed(page.replace("`shadow.flips`", "`rollout.flips`"))


def test_a_reader_with_a_code_that_nobody_gives_is_found_out():
    reader = Sources({"reader": 'if check.code == "check_features.renamed":\n    pass'})
    assert read_codes(reader) == {"check_features.renamed": "reader, line 1"}
