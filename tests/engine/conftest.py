"""Whole runs of pipelines in the local engine, with everything real but the cluster."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from gauntlet.orchestration.engine import RunRequest, run_pipeline
from gauntlet.orchestration.project import find_project
from gauntlet.verdict import Verdict

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("GAUNTLET_DATA", ROOT.parent / "shared" / "data"))

# Asks the run's own registry, in the environment that has MLflow.
LIST_VERSIONS = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
aliases = {name: str(version) for name, version in client.get_registered_model(sys.argv[2]).aliases.items()}
versions = {str(v.version): v.tags for v in client.search_model_versions(f"name='{sys.argv[2]}'")}
print(json.dumps({"aliases": aliases, "versions": versions}))
"""


class RecordingObserver:
    """Observer that records its calls, which a failing test prints."""

    def __init__(self):
        self.messages = []

    def note(self, sentence):
        self.messages.append(sentence)

    def run_started(self, run, folder):
        self.messages.append(f"{run.name} in {folder}")

    def task_started(self, task):
        pass

    def task_ended(self, task):
        self.messages.append(f"{task.state} {task.name} {task.error}")


class Run:
    """A finished run and what a user would look at in it."""

    def __init__(self, record, folder, messages):
        self.record, self.folder, self.messages = record, folder, messages

    @property
    def state(self):
        return self.record.state

    def task(self, name):
        return next(task for task in self.record.tasks if task.name == name)

    def states(self):
        return {task.name: task.state for task in self.record.tasks}

    def path(self, task, output):
        return self.folder / self.task(task).artifacts[output].path

    def verdict(self, task):
        return Verdict.read(self.path(task, "verdict"))

    def reasons(self, task, status):
        return [check.reason for check in self.verdict(task).with_status(status)]

    def registry(self, model_name):
        python = ROOT / ".environments" / "delivery" / "bin" / "python"
        store = f"sqlite:///{self.folder.parent / 'mlflow.db'}"
        process = subprocess.run(
            [python, "-c", LIST_VERSIONS, store, model_name], capture_output=True, text=True, check=True
        )
        return json.loads(process.stdout.splitlines()[-1])


def run(parameters, runs, pipeline="continuous_training", **options):
    observer = RecordingObserver()
    request = RunRequest(project=find_project(ROOT), pipeline=pipeline, parameters=parameters, runs=runs, **options)
    record, folder = run_pipeline(request, observer)
    return Run(record, folder, observer.messages)


def example(name):
    return yaml.safe_load((ROOT / "examples" / f"{name}.yaml").read_text())


@pytest.fixture(scope="session")
def real_data():
    if not (DATA / "adult" / "adult.data").is_file():
        pytest.skip(f"the public data sets are not in {DATA}; point GAUNTLET_DATA at a folder that holds them")
    return DATA
