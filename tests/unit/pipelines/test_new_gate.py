"""What it takes to add a gate: a throw-away one is added to a copy of the repository, as CONTRIBUTING.md says.

The copy then compiles, and every test that holds the table of gates, the pages and the pipelines together passes on
it. The files that were written by hand are those of the list, eleven at most.
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.repository

ROOT = Path(__file__).parents[3]
LEFT_OUT = shutil.ignore_patterns(".*", "runs", "__pycache__", "compiled", "browser", "engine")
MOST = 11
WRITTEN = ("pipelines/compiled", "docs/settings.md", "docs/architecture.md")
"""What ``make compile docs`` writes."""

GATE = '''"""How old the newest row may be."""

from __future__ import annotations

from pydantic import Field

from gauntlet.settings import Settings
from gauntlet.verdict import Check, Status, Verdict

GATE = "check_freshness"


class FreshnessPolicy(Settings):
    """How old the newest row may be."""

    max_days: float = Field(7.0, gt=0, description="Days since the newest row at most.")


def judge_freshness(days: float, policy: FreshnessPolicy) -> Verdict:
    """Hold the age of the newest row, in days, against the policy."""
    status = Status.PASS if days <= policy.max_days else Status.FAIL
    reason = f"The newest row is {days:g} days old; {policy.max_days:g} are allowed."
    check = Check("newest row", status, reason, measured=days, bound=policy.max_days, code="check_freshness.age")
    return Verdict(GATE, (check,), reason)
'''
COMPONENT = '''"""Component: the freshness gate."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="data", caching=Caching.PURE)
def check_freshness(
    snapshot: Input[Dataset],
    verdict: Output[Artifact],
    report: Output[HTML],
    days: float = 0.0,
    policy: dict = {},
):
    """Check that the newest row is not too old.

    Args:
        snapshot: The data to check.
        days: Age of the newest row in days.
        policy: {"max_days"}.
        verdict: One check, of the newest row.
        report: The same.
    """
    from pathlib import Path

    from gauntlet.data.freshness import FreshnessPolicy, judge_freshness
    from gauntlet.reports.page import verdict_page
    from gauntlet.settings import parse
    from gauntlet.storage import write_text

    found = judge_freshness(days, parse(FreshnessPolicy, policy, field="policy"))
    found.write(Path(verdict.path))
    write_text(Path(report.path), verdict_page(found, title="Are the data fresh?"))
'''
ROW = """    Gate(
        "check_freshness",
        subject="freshness",
        question="Is the newest row new enough?",
        stage=Stage.TRAINING,
        parameter="freshness_policy",
        settings="gauntlet.data.freshness:FreshnessPolicy",
        page="integrity.md",
    ),
"""
CODES = """## check_freshness
| code | says | what to do |
|---|---|---|
| `check_freshness.age` | how old the newest row is | find out why no newer rows arrive |

"""
TASK = """    freshness_check = check_freshness(snapshot=tasks.snapshot, policy=freshness_policy)
"""
UNIT_TEST = """from gauntlet.data.freshness import FreshnessPolicy, judge_freshness
from gauntlet.verdict import Status


def test_old_rows_fail():
    assert judge_freshness(8.0, FreshnessPolicy()).status is Status.FAIL
    assert judge_freshness(1.0, FreshnessPolicy()).status is Status.PASS
"""


class Copy:
    """A copy of the repository, edited by hand."""

    def __init__(self, place: Path) -> None:
        self.place = place
        shutil.copytree(ROOT, place, ignore=LEFT_OUT)
        shutil.copytree(ROOT / "pipelines" / "compiled", place / "pipelines" / "compiled")

    def write(self, name: str, text: str) -> None:
        path = self.place / name
        assert not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def put(self, name: str, before: str, text: str) -> None:
        path = self.place / name
        found = path.read_text()
        assert found.count(before) == 1, f"{name}: {before!r} is there {found.count(before)} times"
        path.write_text(found.replace(before, text + before))

    def edit(self, name: str, before: str, after: str) -> None:
        path = self.place / name
        found = path.read_text()
        assert found.count(before) == 1, f"{name}: {before!r} is there {found.count(before)} times"
        path.write_text(found.replace(before, after))

    def touched(self) -> set[str]:
        """Files that are new or differ, but for what a command writes."""
        files = {str(path.relative_to(self.place)) for path in self.place.rglob("*") if path.is_file()}
        return {
            file
            for file in files
            if not file.startswith(WRITTEN)
            and not file.endswith("/kfp_config.ini")
            and not re.search(r"(^|/)(\.|__pycache__)", file)
            and not ((ROOT / file).is_file() and filecmp.cmp(ROOT / file, self.place / file, shallow=False))
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "PYTHONPATH": str(self.place / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=self.place, env=variables, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    copy = Copy(tmp_path_factory.mktemp("new-gate") / "gauntlet")
    copy.write("src/gauntlet/data/freshness.py", GATE)
    copy.write("components/data/check_freshness.py", COMPONENT)
    copy.put("src/gauntlet/gates.py", '    Gate(\n        "check_training",\n', ROW)
    copy.put(
        "components/evaluation/check_configuration.py", "    recipe: dict = {},\n", "    freshness_policy: dict = {},\n"
    )
    copy.put(
        "components/evaluation/check_configuration.py",
        "        recipe: What to train.\n",
        "        freshness_policy: How old the newest row may be.\n",
    )
    training = "pipelines/continuous_training.py"
    copy.put(training, "    recipe: dict = {},\n", "    freshness_policy: dict = {},\n")
    copy.put(training, "        recipe: How to train", "        freshness_policy: How old the newest row may be.\n")
    copy.put(
        training,
        "        n_seeds=n_seeds,\n        device=device,\n        perf",
        "        freshness_policy=freshness_policy,\n",
    )
    copy.put(training, "    data_gate = enforced(", TASK)
    copy.edit(training, "skew_check, tasks.integrity_check]", "skew_check, tasks.integrity_check, freshness_check]")
    copy.put(
        training,
        "from components.data.detect_skew import",
        "from components.data.check_freshness import check_freshness\n",
    )
    copy.put("docs/integrity.md", "## Memory\n", "## Freshness\n`max_days` is counted from the newest row.\n\n")
    copy.put("docs/codes.md", "## check_training\n", CODES)
    copy.write("tests/unit/data/test_freshness.py", UNIT_TEST)
    copy.write("tests/components/data/test_check_freshness.py", UNIT_TEST)
    return copy


@pytest.fixture(scope="module")
def made(copy: Copy) -> Copy:
    """The copy after ``make compile docs``."""
    for words in (("-m", "gauntlet.cli.main", "compile"), ("docs/settings.py",), ("docs/architecture.py",)):
        done = copy.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    return copy


def test_a_new_gate_touches_the_files_that_the_list_names_and_no_others(made):
    page = (ROOT / "CONTRIBUTING.md").read_text()
    listed = re.findall(r"^\d+\. `([^`]+)`", page.partition("### A new gate\n")[2].partition("\n#")[0], re.MULTILINE)
    names = {"PACKAGE": "data", "GATE": "check_freshness", "MODULE": "freshness", "IMAGE": "data", "PAGE": "integrity"}
    expected = {re.sub("|".join(names), lambda word: names[word[0]], entry) for entry in listed}
    own_page = {file for file in expected if "/reports/" in file}
    assert made.touched() == expected - own_page, "its report is the page that every verdict has"
    assert len(expected) <= MOST
    assert len(own_page) == 2


def test_the_image_finds_the_new_component(made):
    assert "check_freshness = check_freshness.py" in (made.place / "components/data/kfp_config.ini").read_text()


def test_it_is_enforced_checked_documented_and_compiled(made):
    done = made.run(
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/unit/test_gates.py",
        "tests/unit/test_codes.py",
        "tests/unit/pipelines/test_docs.py",
        "tests/unit/pipelines/test_continuous_training.py",
        "tests/unit/data/test_freshness.py",
    )
    assert done.returncode == 0, done.stdout
    assert "`check_freshness` | Is the newest row new enough? |" in (made.place / "docs/architecture.md").read_text()
    assert re.search(r"\| `max_days` \| number[^|]* \| `7.0` \|", (made.place / "docs/settings.md").read_text())
    policy = "EnforcementPolicy(advisory=('check_freshness',))"
    code = f"from gauntlet.registry.enforcement import *; require_known_gates({policy}, field='enforcement_policy')"
    assert made.run("-c", code).returncode == 0
    spec = (made.place / "pipelines/compiled/train_and_deliver.yaml").read_text()
    assert "freshness_policy" in spec


def test_a_gate_that_its_pipelines_forget_is_noticed(made, tmp_path):
    forgetful = Copy(tmp_path / "gauntlet")
    for file in made.touched() - {"pipelines/continuous_training.py", "components/evaluation/check_configuration.py"}:
        (forgetful.place / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made.place / file, forgetful.place / file)
    done = forgetful.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/test_gates.py")
    assert done.returncode == 1
    for name in (
        "every_gates_settings_are_checked",
        "the_architecture_page_has_both",
        "parameter_is_one_of_the_pipelines",
    ):
        assert name in done.stdout
