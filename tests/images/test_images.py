"""One component of each image, run in its container and in its local environment on the same input: equal outputs.

The images must be there (``make images``); the container tool is found as ``containers/build.py`` finds it. delivery
has no pure component, so it fetches a champion from one local registry that both sides see.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from builders.hostile import hostile_file
from gauntlet.digest import digest_file, digest_tree
from gauntlet.orchestration.declaration import image_reference
from gauntlet.orchestration.executor_messages import as_stored

pytestmark = pytest.mark.images

ROOT = Path(__file__).parents[2]
LIBRARY = {"PYTHONPATH": str(ROOT / "src")}
DIGESTS = """
import json, sys
from pathlib import Path
from gauntlet.orchestration.revision import code_digest
print(json.dumps({path.stem: code_digest(path) for path in Path(sys.argv[1]).glob("*.py")}))
"""
ROWS = 4000
ROLES = {"label": "approved", "positive": "yes", "key": ["id"]}
TYPES = {
    "snapshot": "Dataset",
    "predictions": "Dataset",
    "model": "Model",
    "champion": "Model",
    "report": "HTML",
    "metrics": "Metrics",
    "curves": "ClassificationMetrics",
}


@pytest.fixture(scope="module")
def runner() -> str:
    found = subprocess.run([ROOT / "containers/find-tool.sh", "run"], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(found.stderr.strip())
    return found.stdout.strip()


@pytest.fixture(scope="module")
def recorded(runner):
    """The variables of an image that lineage records, once the image is known to hold the lock and the code of here."""

    @cache
    def of(image: str) -> dict[str, str]:
        reference = image_reference(image)
        wanted = "{{range .Config.Env}}{{println .}}{{end}}"
        command = [runner, "image", "inspect", "--format", wanted, reference]
        seen = subprocess.run(command, capture_output=True, text=True, check=False)
        if seen.returncode:
            pytest.skip(f"there is no image {reference}: run make images")
        variables = dict(line.split("=", 1) for line in seen.stdout.splitlines() if line.startswith("GAUNTLET_"))
        locks = {digest_file(lock) for lock in (ROOT / "containers" / image).glob("*.lock")}
        assert variables["GAUNTLET_LOCK_DIGEST"] in locks, f"{reference} was built from another lock: run make images"
        held = json.loads(_run([*in_python(runner), reference, "-c", DIGESTS, "/components"]))
        here = json.loads(_run([sys.executable, "-c", DIGESTS, ROOT / "components" / image], env=LIBRARY))
        stale = sorted(name for name in held.keys() | here.keys() if held.get(name) != here.get(name))
        assert not stale, f"{reference} holds other code than this tree ({', '.join(stale)}): run make images"
        return variables

    return of


@dataclass
class Task:
    """One call of a component: what goes in, and which outputs it has."""

    image: str
    component: str
    parameters: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Path] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    returns: bool = False

    def executor_input(self, folder: Path) -> str:
        def artifact(name: str, path: Path) -> dict[str, Any]:
            kind = {"schemaTitle": f"system.{TYPES.get(name, 'Artifact')}"}
            return {"artifacts": [{"name": name, "uri": str(path), "type": kind, "metadata": {}}]}

        def stored(number: int, name: str, path: Path) -> dict[str, Any]:
            return {"artifacts": [as_stored({"name": name, "uri": str(path)}, number)]}

        result = {"parameters": {"Output": {"outputFile": str(folder / "Output")}}} if self.returns else {}
        return json.dumps(
            {
                "inputs": {
                    "parameterValues": self.parameters,
                    "artifacts": {
                        name: stored(number, name, path)
                        for number, (name, path) in enumerate(self.inputs.items(), start=1)
                    },
                },
                "outputs": {
                    **result,
                    "artifacts": {name: artifact(name, folder / name) for name in self.outputs},
                    "outputFile": str(folder / "executor_output.json"),
                },
            }
        )

    def arguments(self, folder: Path) -> list[str]:
        words = ["-m", "kfp.dsl.executor_main", "--function_to_execute", self.component]
        return [*words, "--executor_input", self.executor_input(folder)]


@dataclass
class Bench:
    """A folder that the local environments and the containers both see under the same name."""

    root: Path
    runner: str
    recorded: Callable[[str], dict[str, str]]

    @property
    def variables(self) -> dict[str, str]:
        return {"MLFLOW_TRACKING_URI": f"sqlite:///{self.root}/registry/mlflow.db"}

    def locally(self, task: Task) -> Path:
        folder = self._folder(task, "local")
        python = ROOT / ".environments" / task.image / "bin" / "python"
        if not python.exists():
            pytest.skip(f"there is no environment for {task.image}: run make setup")
        here = {"PATH": os.environ["PATH"], "_KFP_RUNTIME": "true", "HOME": str(self.root), **LIBRARY}
        environment = {**here, **self.variables, **self.recorded(task.image)}  # hence equal lineage
        _run([python, *task.arguments(folder)], cwd=ROOT / "components" / task.image, env=environment)
        return folder

    def contained(self, task: Task) -> Path:
        self.recorded(task.image)
        folder = self._folder(task, "container")
        given = [word for name, value in self.variables.items() for word in ("--env", f"{name}={value}")]
        command = [*in_python(self.runner), "--volume", f"{self.root}:{self.root}", *given]
        _run([*command, image_reference(task.image), *task.arguments(folder)])
        return folder

    def _folder(self, task: Task, side: str) -> Path:
        folder = self.root / side / task.component
        folder.mkdir(parents=True)
        for path in self.root.rglob("*"):  # the container's user is nobody here, and reads and writes beside us
            path.chmod(0o777 if path.is_dir() else 0o666)
        return folder


def in_python(runner: str) -> list[str]:
    """Python in a container, also where an image starts something else by itself (serving does)."""
    return [runner, "run", "--rm", "--entrypoint", "python3"]


def _run(command: list[Any], **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def bench(runner, recorded, tmp_path_factory):
    root = tmp_path_factory.mktemp("bench")
    (root / "registry").mkdir()
    root.chmod(0o777)
    yield Bench(root, runner, recorded)
    shutil.rmtree(root)


def assert_equal(task: Task, one: Path, other: Path) -> None:
    for name in task.outputs:
        if TYPES.get(name) in {"Metrics", "ClassificationMetrics"}:
            continue  # they have no files; their values are compared with the executor's output below
        assert digest_tree(one / name) == digest_tree(other / name), name
    said = [(folder / "executor_output.json").read_text().replace(str(folder), "") for folder in (one, other)]
    assert json.loads(said[0]) == json.loads(said[1])


def equal_on_both_sides(bench: Bench, task: Task) -> Path:
    local = bench.locally(task)
    assert_equal(task, local, bench.contained(task))
    return local


@pytest.fixture(scope="module")
def applications(bench) -> Path:
    draw = random.Random(11)
    path = bench.root / "applications.csv"
    lines = ["id,age,income,region,approved"]
    for number in range(ROWS):
        age, income, region = draw.randint(18, 80), round(draw.lognormvariate(10, 0.5), 2), draw.choice("NSEW")
        score = (income / 30_000) + (age - 40) / 60 + (0.3 if region == "N" else 0) + draw.gauss(0, 0.5)
        lines.append(f"{number},{age},{income},{region},{'yes' if score > 0.8 else 'no'}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def snapshot(bench, applications) -> Path:
    pinned = {"uri": str(applications), "version": digest_file(applications), "size": applications.stat().st_size}
    task = Task("data", "import_snapshot", {"pinned": [pinned], "roles": ROLES}, outputs=("snapshot",))
    return equal_on_both_sides(bench, task) / "snapshot"


@pytest.fixture(scope="module")
def statistics(bench, snapshot) -> Path:
    task = Task("data", "compute_statistics", inputs={"snapshot": snapshot}, outputs=("statistics", "report"))
    return equal_on_both_sides(bench, task) / "statistics"


@pytest.fixture(scope="module")
def schema(bench, statistics) -> Path:
    inputs = {"statistics": statistics}
    return bench.locally(Task("data", "infer_schema", {"policy": {}}, inputs, ("schema", "report"))) / "schema"


@pytest.fixture(scope="module")
def model(bench, snapshot, schema) -> Path:
    inputs = {"snapshot": snapshot, "schema": schema}
    outputs = ("model", "metrics", "report")
    return bench.locally(Task("model", "train_model", {"recipe": {}}, inputs, outputs)) / "model"


@pytest.fixture(scope="module")
def predictions(bench, model, snapshot) -> Path:
    parameters = {"split": "test", "slice_columns": ["region"]}
    task = Task("model", "batch_predict", parameters, {"model": model, "snapshot": snapshot}, ("predictions",))
    return equal_on_both_sides(bench, task) / "predictions"


def test_data_imports_and_describes_the_same(statistics):
    assert (statistics / "train.pb").stat().st_size


def test_model_predicts_the_same(predictions):
    assert list(predictions.glob("*.parquet"))


@pytest.fixture(scope="module")
def verdict(bench, predictions) -> Path:
    outputs = ("verdict", "metrics", "curves", "report")
    parameters = {"policy": {"metrics": {"auc": {"min": 0.6}}}}
    task = Task("evaluation", "evaluate_performance", parameters, {"predictions": predictions}, outputs)
    return equal_on_both_sides(bench, task) / "verdict"


def test_evaluation_measures_the_same(verdict):
    assert json.loads(verdict.read_text())["status"] == "pass"


def test_delivery_fetches_the_same_champion(bench, model, snapshot, schema, statistics, verdict):
    inputs = {"model": model, "snapshot": snapshot, "schema": schema, "statistics": statistics, "verdicts": verdict}
    bench.locally(Task("delivery", "register_model", {"model_name": "loans"}, inputs, ("lineage",), returns=True))
    task = Task("delivery", "fetch_champion", {"model_name": "loans"}, {}, ("champion", "statistics"), returns=True)
    fetched = equal_on_both_sides(bench, task)
    assert json.loads((fetched / "executor_output.json").read_text())["parameterValues"] == {"Output": "1"}
    assert digest_tree(fetched / "champion") == digest_tree(model)


OPEN = """
import sys
from pathlib import Path
from gauntlet.data.reader import raw_batches
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.errors import DataError
path = Path(sys.argv[1])
try:
    list(raw_batches(path, path.name, "parquet", ReaderOptions()))
except DataError as error:
    print(error)
"""


@pytest.mark.parametrize("image", ["data", "model", "evaluation", "delivery", "serving"])
def test_a_file_that_carries_a_program_is_refused(bench, image):
    folder = bench.root / "hostile" / image
    folder.mkdir(parents=True)
    path = hostile_file(folder / "hours.parquet", folder / "marker")
    folder.chmod(0o777)  # the container's user could make the marker
    bench.recorded(image)
    command = [*in_python(bench.runner), "--volume", f"{bench.root}:{bench.root}", image_reference(image)]
    said = _run([*command, "-c", OPEN, path])
    assert "CVE-2023-47248" in said
    assert not (folder / "marker").exists()
