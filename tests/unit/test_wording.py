"""Names and sentences may be edited: nothing that reads a verdict or a journal decides, counts or chooses by them."""

import ast
from pathlib import Path

import jinja2
import pytest

from builders.delivery_pages import PLAN, harmful
from builders.gates import run_gate
from builders.journals import rolled_out
from builders.loans import loans
from builders.other_words import Words, differences, in_other_words, require_same_in_other_words
from builders.pages import PAGES
from builders.predictions import write_predictions
from builders.submission import make_document, make_evidence
from builders.submission import verdict as submitted
from gauntlet.delivery.rollout import timeline
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.verdict import verdict_of
from gauntlet.demo.plain_language import in_plain_language
from gauntlet.errors import GateStopped
from gauntlet.evaluation import comparison
from gauntlet.registry.enforcement import EnforcementPolicy, decide_stage, enforce
from gauntlet.registry.tags import version_tags
from gauntlet.reports.views.rollout import rollout_view
from gauntlet.verdict import Status, Verdict, read_verdicts, write_verdicts

pytestmark = pytest.mark.repository

ROOT = Path(__file__).parents[2]
ASKING = {
    *("startswith", "endswith", "removeprefix", "removesuffix", "split", "rsplit", "partition", "rpartition"),
    *("count", "find", "index", "search", "match", "fullmatch", "findall", "finditer", "sub"),
}
"""What a text is asked with."""
POLICIES = {
    "evaluate_performance": ({"metrics": {"auc": {"min": 0.7}, "log_loss": {"max": 0.45}}}, {}),
    "evaluate_slices": (
        {"columns": ["sex", "race"], "fairness": {"demographic_parity": {"max_gap": 0.1}}},
        {"columns": ["sex", "race"], "fairness": {"demographic_parity": {"max_gap": 0.9}}},
    ),
    "compare_champion": (
        {"slices": {"columns": ["sex", "race"]}, "require_improvement": True},
        {"primary": {"metric": "auc", "margin": 0.2}, "slices": {"columns": ["sex", "race"]}},
    ),
}
"""Gate → a policy under which the model fails or is in doubt, and one that it keeps."""
JOURNALS = {
    "harm": harmful,
    "promoted": rolled_out,
    "silent": lambda: rolled_out(per_second=0),
    "begun": lambda: rolled_out(turns=1),
    "aborted": lambda: rolled_out(refused_at=20),
}


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    folder, data = tmp_path_factory.mktemp("predictions"), loans(3000)
    unfair = -0.8 * (data.slices["sex"] == "Female")
    return [
        write_predictions(folder / name, data.label, data.scores(seed, shift=shift), slices=data.slices)
        for seed, (name, shift) in enumerate((("challenger", unfair), ("champion", 0.0)))
    ]


@pytest.fixture
def judged(predictions, tmp_path):
    """Gate and policy → its verdict, as the component writes it."""

    def judge(gate, policy):
        names = ("challenger", "champion") if gate == "compare_champion" else ("predictions",)
        inputs = dict(zip(names, predictions, strict=False))
        return run_gate(gate, tmp_path, policy, **inputs).verdict

    return judge


CASES = [(gate, policy) for gate, policies in POLICIES.items() for policy in policies]
IDS = [f"{gate}-{end}" for gate in POLICIES for end in ("doubtful", "kept")]


@pytest.mark.parametrize(("gate", "policy"), CASES, ids=IDS)
def test_a_gate_says_the_same_whatever_its_checks_are_called(judged, gate, policy):
    require_same_in_other_words(lambda: judged(gate, policy))


def afterwards(verdict: Verdict, document, folder) -> dict[str, object]:
    """What is made of a verdict after its gate: on disk, in enforcement, in the registry, in the demo."""
    write_verdicts(folder / "verdicts", [verdict])
    verdicts = read_verdicts(folder / "verdicts")
    stages = [
        decide_stage("before registering", verdicts, EnforcementPolicy(**policy))
        for policy in ({}, {"advisory": (verdict.gate,)}, {"inconclusive": {verdict.gate: "block"}, "error": "warn"})
    ]
    return {
        "verdicts": verdicts,
        "stages": stages,
        "stopped": [stopped(stage) for stage in stages],
        "tags": version_tags(document, verdicts),
        "plain language": in_plain_language(verdict),
        "worst first": verdict.worst_first,
    }


def stopped(stage) -> str:
    try:
        return enforce(stage)
    except GateStopped as error:
        return str(error)


@pytest.mark.parametrize(("gate", "policy"), CASES, ids=IDS)
def test_what_follows_a_gate_reads_no_words(judged, gate, policy, tmp_path):
    document = make_document(make_evidence(tmp_path / "evidence"), submitted())
    require_same_in_other_words(lambda: afterwards(judged(gate, policy), document, tmp_path))


@pytest.fixture
def shown(monkeypatch):
    """What a page is made from: its views and verdicts, before any text is laid out."""
    views: list[object] = []

    def render(self, *args, **context):
        views.append([context["title"], context["view"], context["verdict"]])
        return ""

    monkeypatch.setattr(jinja2.Template, "render", render)

    def show(name):
        views.clear()
        PAGES[name]()
        return list(views)

    return show


OF_VERDICTS = sorted(name for name in PAGES if not name.startswith(("run", "gallery", "rollout")))


@pytest.mark.parametrize("name", OF_VERDICTS)
def test_a_page_shows_the_same_whatever_checks_are_called(shown, name):
    require_same_in_other_words(lambda: shown(name))


@pytest.mark.parametrize("name", JOURNALS)
def test_a_rollout_is_told_by_its_journal_and_not_by_the_sentences_in_it(name):
    journal = JOURNALS[name]()
    words = Words()
    other = in_other_words(journal, words)
    assert other != journal
    for read in (other, Journal.from_json(other.to_json())):
        assert [*differences(audit(journal), audit(read), words)] == []


def audit(journal: Journal) -> list[object]:
    """Everything that is read off a journal."""
    return [
        timeline.timeline_json(journal),
        timeline.weight_periods(journal),
        timeline.manual_decisions(journal, PLAN),
        timeline.harm_shown(journal),
        timeline.ended(journal),
        verdict_of(journal),
        rollout_view(journal, PLAN),
    ]


def test_a_gate_that_reads_names_is_found_out(judged, monkeypatch):
    def summary(checks):
        slices = sum(check.name.count("=") > 0 for check in checks)
        return f"No proven regression in any of {slices} slices."

    monkeypatch.setattr(comparison, "_summary", summary)
    with pytest.raises(AssertionError):
        require_same_in_other_words(lambda: judged("compare_champion", POLICIES["compare_champion"][1]))


@pytest.mark.parametrize(
    "parser",
    [
        lambda verdict: [check.subject for check in verdict.checks if check.name.startswith("auc")],
        lambda verdict: {check.name.split(": ")[0] for check in verdict.checks} >= {"auc", "log_loss"},
        lambda verdict: float(verdict.checks[0].reason.split("is ")[1].split(" ")[0]),
        lambda verdict: "interval" in verdict.summary,
        lambda verdict: next((check.status for check in verdict.checks if "auc" in check.name), Status.ERROR),
    ],
    ids=["prefix", "split", "number", "summary", "contains"],
)
def test_a_reader_of_prose_is_found_out(judged, parser):
    read = POLICIES["evaluate_performance"][0]
    with pytest.raises((AssertionError, LookupError, ValueError)):
        require_same_in_other_words(lambda: parser(judged("evaluate_performance", read)))


def test_a_reader_of_a_journals_sentences_is_found_out():
    journal, words = rolled_out(refused_at=20), Words()

    def aborted(journal):
        return any("wrong prices" in entry.sentence for entry in journal.entries)

    assert [*differences(aborted(journal), aborted(in_other_words(journal, words)), words)]


def parsed_prose(tree: ast.AST) -> list[str]:
    """Where code asks a sentence, or a check's name, what it says."""
    return [ast.unparse(node) for node in ast.walk(tree) if _is_asked(node)]


def _is_asked(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if not node.args:  # lays it out anew, as " ".join(text.split()) does
            return False
        searched = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
        return node.func.attr in ASKING and (
            _is_prose(node.func.value) or (searched and any(map(_is_prose, node.args)))
        )
    if isinstance(node, ast.Compare):
        asks = any(isinstance(sign, ast.In | ast.NotIn | ast.Eq | ast.NotEq) for sign in node.ops)
        texts = any(
            isinstance(one, ast.Constant) and isinstance(one.value, str) for one in (node.left, *node.comparators)
        )
        return asks and texts and any(map(_is_prose, (node.left, *node.comparators)))
    return isinstance(node, ast.Subscript) and _is_prose(node.value)


def _is_prose(node: ast.AST) -> bool:
    if not isinstance(node, ast.Attribute):
        return False
    of_check = isinstance(node.value, ast.Name) and node.value.id in ("check", "checks", "verdict")
    return node.attr in ("reason", "summary", "sentence") or (node.attr == "name" and of_check)


def test_no_code_asks_a_sentence_what_it_says():
    sources = [path for folder in ("src", "components", "pipelines") for path in (ROOT / folder).rglob("*.py")]
    found = {str(path.relative_to(ROOT)): parsed_prose(ast.parse(path.read_text())) for path in sources}
    assert {file: asked for file, asked in found.items() if asked} == {}


@pytest.mark.parametrize(
    "line",
    [
        'check.name.startswith("leakage")',
        'check.name == "flips"',
        '"=" in check.name',
        'check.name.count("=")',
        'verdict.summary.split(". ")',
        '"redefined" in found.check.reason',
        'entry.sentence.partition(": ")[2]',
        'check.reason.removeprefix(f"{name}: ")',
        're.search("at (.*)%", entry.sentence)',
        "check.reason[:3]",
    ],
)
def test_code_that_asks_a_sentence_is_found_out(line):
    assert parsed_prose(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        'check.reason.rstrip(".") + "."',
        'task.name == "fetch"',
        'check.code == "shadow.flips"',
        "seen[check.name]",
        '" ".join(check.reason.split())',
    ],
)
def test_code_that_shows_a_sentence_is_not(line):
    assert not parsed_prose(ast.parse(line))
