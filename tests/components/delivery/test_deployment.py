"""deploy_staging, rollout_canary and rollback as kfp's executor calls them: services in memory, and no registry."""

import importlib
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from kfp.dsl import HTML, Artifact

from builders.judged import AskedService
from builders.memory_service import V1, V2, Killed, MemoryService
from gauntlet.delivery import context, emergency_rollback, release
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.preflight import Obstacle
from gauntlet.delivery.targets import service
from gauntlet.errors import EXIT_BROKEN, EXIT_USAGE, DependencyError
from gauntlet.registry import aliases, mlflow_store, store
from gauntlet.settings import parse
from gauntlet.verdict import Status, Verdict

COMPONENTS = Path(__file__).parents[3] / "components" / "delivery"
WALL = Obstacle("patch httproutes", "this account may not do it", "Bind the Role")
STONE = Obstacle("minReplicas", "is not set", "Set it", blocks=False)
PLAN = {"steps": [10, 50, 100], "step_seconds": 120, "min_requests": 100, "budgets": {"inconclusive": 60, "errors": 2}}
ANALYSIS = {"phi": 1.0, "warm_up_seconds": 0, "metrics": ["errors", "latency", "outcomes"]}


def component(name):
    sys.path.insert(0, str(COMPONENTS))
    try:
        return getattr(importlib.import_module(name), name)
    finally:
        sys.path.remove(str(COMPONENTS))


@pytest.fixture
def world(monkeypatch):
    """Production and staging by address; the registry knows version 2."""
    production = AskedService()
    at = {"production": production, "staging": MemoryService(specified=None, running=set())}
    opened = {
        "production": lambda: replace(production.service(), counter_source=production.world),
        "staging": at["staging"].service,
    }
    for module in (service, context):
        monkeypatch.setattr(module, "open_service", lambda address: opened[address]())
    clock = SimpleNamespace(time=lambda: production.now, sleep=production.sleep, strftime=time.strftime)
    monkeypatch.setattr(context, "time", clock)
    registry = SimpleNamespace(get=lambda model_name, number: None)
    monkeypatch.setattr(mlflow_store, "open_store", lambda: registry)
    monkeypatch.setattr(store, "find_candidate", lambda registry, name, version: SimpleNamespace(digest=V2.digest))
    moved = []
    for module in (aliases, emergency_rollback):
        monkeypatch.setattr(module, "record_rollback", lambda *arguments: moved.append(arguments[1:]))
    monkeypatch.setattr(release, "resolve_release", lambda store, version, address: V2)
    return SimpleNamespace(**at, moved=moved)


def stage(**more):
    return component("deploy_staging")(staging="staging", model_name="loans", version="2", **more)


def roll_out(folder, **more):
    outputs = {name: Artifact(uri=str(folder / name)) for name in ("verdict", "timeline")}
    report = HTML(uri=str(folder / "report.html"))
    asked = {"service": "production", "model_name": "loans", "version": "2", "plan": PLAN, "analysis": ANALYSIS}
    ended = component("rollout_canary")(**asked, **outputs, report=report, **more)
    return ended, Verdict.read(folder / "verdict"), json.loads((folder / "timeline").read_text()), report


def test_what_stands_in_productions_way_is_said_before_staging_is_touched(world, capsys):
    world.production.found = (WALL, STONE)
    with pytest.raises(SystemExit) as ended:
        stage(service="production")
    assert ended.value.code == EXIT_USAGE
    assert "patch httproutes this account may not do it. Bind the Role." in capsys.readouterr().err
    assert world.staging.running == set()
    assert stage().startswith("http://"), "without production there is nothing to ask"


def test_what_does_not_stand_in_the_way_is_printed(world, capsys):
    world.production.found = (STONE,)
    assert stage(service="production").startswith("http://")
    assert world.staging.running == {V2}
    assert "minReplicas: is not set. Set it." in capsys.readouterr().out


@pytest.mark.parametrize(("wrong", "ended"), [(0, "promoted"), (30, "rolled_back")])
def test_labels_are_read_at_every_look_and_decide(world, tmp_path, wrong, ended):
    table = tmp_path / "labels.csv"
    rows = [f"1,60,{number % 10 == 0}\n" for number in range(3000)]
    rows += [f"2,60,{number % 100 < 10 + wrong}\n" for number in range(1000)]
    table.write_text("version,at,wrong\n" + "".join(rows))
    outcome, verdict, timeline, report = roll_out(tmp_path, outcomes={"uri": str(table), "wrong": "wrong"})
    assert outcome == timeline["phase"] == ended
    assert verdict.status is (Status.FAIL if wrong else Status.PASS)
    assert ("wrong decisions: 40 % of 1,000 against 10 % of 3,000" in verdict.summary) == bool(wrong)
    assert world.production.specified == (V1 if wrong else V2)
    assert "Before its first request" in Path(report.path).read_text()


def test_a_rollout_without_the_labels_it_was_promised_does_not_begin(world, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        roll_out(tmp_path, outcomes={"uri": str(tmp_path / "lables.csv"), "wrong": "wrong"})
    assert ended.value.code == EXIT_USAGE
    assert "lables.csv there is no such file or folder" in capsys.readouterr().err
    assert world.production.stored is None


def roll_back(folder, **more):
    report, timeline = HTML(uri=str(folder / "report.html")), Artifact(uri=str(folder / "timeline"))
    return component("rollback")(
        service="production", model_name="loans", timeline=timeline, report=report, reason="complaints", **more
    )


@pytest.fixture
def at_half(world):
    """Production, where whoever rolled out died when the candidate had half of the requests."""
    production = world.production

    def trouble(where):
        if where == "observe" and production.asked == 50:
            raise Killed

    production.trouble = trouble
    with pytest.raises(Killed):
        production.delivered(parse(AnalysisPlan, {"phi": 1.0, "warm_up_seconds": 0}, field="analysis"))
    production.trouble = lambda where: None
    return production


def test_a_torn_journal_stops_neither_the_exit_handler_nor_a_person(world, at_half, tmp_path, capsys):
    at_half.torn = True
    assert roll_back(tmp_path, only_unfinished=True) == "rolled_back"
    assert (at_half.specified, at_half.asked, world.moved) == (V1, 0, [("loans", "2", "1")])
    assert "version 2 has 50 % of the requests" in capsys.readouterr().out
    assert json.loads((tmp_path / "timeline").read_text())["phase"] == "rolled_back"
    assert roll_back(tmp_path, only_unfinished=True) == "nothing_to_do"


def test_where_nothing_can_be_written_the_requests_and_the_title_go_back_and_the_task_fails(
    world, at_half, tmp_path, capsys
):
    def trouble(where):
        if where == "before write":
            raise DependencyError("no space left on device", field="journal", mend="Make room")

    at_half.trouble = trouble
    with pytest.raises(SystemExit) as ended:
        roll_back(tmp_path)
    assert ended.value.code == EXIT_BROKEN
    assert (at_half.specified, at_half.asked, world.moved) == (V1, 0, [("loans", "2", "1")])
    said = capsys.readouterr().err
    assert "all requests go to version 1 again (Complaints), but not all of this could be written" in said
    assert "journal: no space left on device" in said
