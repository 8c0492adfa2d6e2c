"""Registering: once, whole, by the digest, whatever happens in between."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from builders.memory_registry import MemoryStore
from builders.submission import SOURCES, make_submission, verdict
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.registry.aliases import Promote
from gauntlet.registry.champion import fetch_lineage
from gauntlet.registry.enforcement import EnforcementPolicy
from gauntlet.registry.registration import register
from gauntlet.registry.store import DIGEST_TAG
from gauntlet.settings import parse
from gauntlet.storage import write_absent
from gauntlet.verdict import Status

POLICY = parse(EnforcementPolicy, {}, field="policy")


def submit(store, submission, promote=Promote.FIRST, policy=POLICY):
    return register(store, submission, promote, policy)


def test_the_first_model_becomes_champion_and_the_next_challenger(store, name, tmp_path):
    first = submit(store, make_submission(tmp_path / "a", model_name=name))
    second = submit(store, make_submission(tmp_path / "b", model_name=name, weights="4 5 6"))
    assert (first.version.number, first.created, first.aliases) == (1, True, {"champion": 1})
    assert (second.version.number, second.created, second.aliases) == (2, True, {"champion": 1, "challenger": 2})


def test_the_same_model_twice_is_one_version_described_by_the_latest_registration(store, name, tmp_path):
    submit(store, make_submission(tmp_path / "a", model_name=name, run="monday"))
    again = submit(store, make_submission(tmp_path / "b", model_name=name, run="tuesday"))
    assert (again.version.number, again.created, again.aliases) == (1, False, {"champion": 1})
    stored = store.get(name, 1)
    assert stored.tags["gauntlet.run"] == "tuesday"
    assert fetch_lineage(store, stored).run == "tuesday"
    assert store.get(name, 2) is None


def test_the_exact_data_schema_code_parameters_and_seeds_are_named_by_the_registered_version(store, name, tmp_path):
    submission = make_submission(tmp_path, model_name=name)
    document = fetch_lineage(store, submit(store, submission).version)
    assert document == submission.document
    assert document.artifacts["snapshot"] == submission.document.artifacts["snapshot"]
    assert document.training.inputs == {key: document.artifacts[key] for key in ("snapshot", "schema")}
    assert document.training.code == "9b2c1d0"
    assert document.seeds == {"seed": 7}
    assert document.sources == tuple(SOURCES)


@pytest.mark.parametrize("status", [Status.FAIL, Status.ERROR])
def test_a_model_that_a_gate_refused_is_not_registered(status, tmp_path):
    store = MemoryStore()
    refused = make_submission(tmp_path, verdict(), verdict(status, "compare_champion"))
    with pytest.raises(ConfigurationError, match=rf"compare_champion \({status}\)") as caught:
        submit(store, refused)
    assert "enforce_gates" in str(caught.value)
    assert store.get("loans", 1) is None


def test_no_verdict_at_all_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="no verdicts"):
        submit(MemoryStore(), replace(make_submission(tmp_path), verdicts=()))


def test_a_failed_gate_that_policy_calls_advisory_is_registered_with_its_verdict(tmp_path):
    store = MemoryStore()
    policy = parse(EnforcementPolicy, {"advisory": ["compare_champion"]}, field="policy")
    advised = make_submission(tmp_path, verdict(), verdict(Status.FAIL, "compare_champion"))
    made = submit(store, advised, policy=policy)
    assert made.version.tags["gauntlet.verdict.compare_champion"].startswith("fail: ")


def test_an_inconclusive_verdict_is_enforcements_business(tmp_path):
    made = submit(MemoryStore(), make_submission(tmp_path, verdict(Status.INCONCLUSIVE, "evaluate_slices")))
    assert made.created


def test_a_model_changed_since_its_lineage_was_written_is_refused(tmp_path):
    submission = make_submission(tmp_path)
    (submission.model / "data/weights.txt").write_text("9 9 9")
    with pytest.raises(DataError, match="not what its lineage says"):
        submit(MemoryStore(), submission)


def test_an_absent_model_is_refused_with_the_reason(tmp_path):
    submission = make_submission(tmp_path)
    write_absent(submission.model, "training was skipped")
    with pytest.raises(DataError, match="training was skipped"):
        submit(MemoryStore(), submission)


def test_a_folder_without_mlmodel_is_refused(tmp_path):
    submission = make_submission(tmp_path)
    (submission.model / "MLmodel").unlink()
    with pytest.raises(DataError, match="not an MLflow model"):
        submit(MemoryStore(), submission)


@pytest.mark.parametrize("part", ["statistics", "schema"])
def test_evidence_that_is_not_there_is_refused(part, tmp_path):
    submission = make_submission(tmp_path)
    (tmp_path / part).rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=f"{part}: is not there"):
        submit(MemoryStore(), submission)


def test_an_impossible_name_is_refused_before_anything_is_stored(tmp_path):
    store = MemoryStore()
    with pytest.raises(ConfigurationError, match="model_name"):
        submit(store, make_submission(tmp_path, model_name="team/loans"))


@dataclass
class Interrupted(MemoryStore):
    """A registry whose connection breaks at one verb, once."""

    at: str = ""

    def __getattribute__(self, verb):
        if verb == object.__getattribute__(self, "at"):
            self.at = ""

            def broken(*arguments):
                raise DependencyError("connection lost", retryable=True)

            return broken
        return super().__getattribute__(verb)


@pytest.mark.parametrize("verb", ["with_digest", "create", "aliases", "move"])
def test_whatever_the_crash_the_same_registration_again_repairs_it(verb, tmp_path):
    store, submission = Interrupted(at=verb), make_submission(tmp_path)
    with pytest.raises(DependencyError):
        submit(store, submission)
    after = submit(store, submission)
    assert (after.version.number, after.aliases) == (1, {"champion": 1})
    assert store.get("loans", 2) is None


def test_tags_lost_or_changed_by_hand_are_repaired_by_registering_again(store, name, tmp_path):
    submission = make_submission(tmp_path, model_name=name)
    whole = submit(store, submission).version
    store.describe(whole, {}, {DIGEST_TAG: whole.digest, "gauntlet.stray": "?"}, "")
    submit(store, submission)
    assert store.get(name, 1).tags == whole.tags


@dataclass
class Raced(MemoryStore):
    """A registry in which somebody else registers the same model just before or just after we do."""

    rival: str = ""

    def create(self, name, parts, tags, description):
        rival, self.rival = self.rival, ""
        if rival == "before":
            super().create(name, parts, tags, description)
        made = super().create(name, parts, tags, description)
        if rival == "after":
            super().create(name, parts, tags, description)
        return made


def test_whoever_came_second_deletes_its_version(tmp_path):
    store = Raced(rival="before")
    ours = submit(store, make_submission(tmp_path))
    assert (ours.version.number, ours.aliases) == (1, {"champion": 1})
    assert [version.number for version in store.with_digest("loans", ours.version.digest)] == [1]


def test_whoever_came_first_keeps_its_version_and_leaves_the_others_alone(tmp_path):
    store = Raced(rival="after")
    ours = submit(store, make_submission(tmp_path))
    assert ours.version.number == 1
    assert [version.number for version in store.with_digest("loans", ours.version.digest)] == [1, 2]


@dataclass
class Contested(MemoryStore):
    """A registry in which somebody takes the title in the moment after we did."""

    usurper: int = 0

    def move(self, name, assign, remove):
        super().move(name, assign, remove)
        if self.usurper and "champion" in assign:
            usurper, self.usurper = self.usurper, 0
            super().move(name, {"champion": usurper}, ())


def test_a_first_champion_overtaken_in_the_same_moment_becomes_challenger(tmp_path):
    store = Contested()
    submit(store, make_submission(tmp_path / "rival", weights="7 8 9"), Promote.NEVER)
    store.move("loans", {}, ("challenger",))
    store.usurper = 1
    ours = submit(store, make_submission(tmp_path / "ours"))
    assert ours.aliases == {"champion": 1, "challenger": 2}


def test_two_registrations_at_once_on_a_real_server_end_in_one_version(server_uri, name, tmp_path):
    from gauntlet.registry.mlflow_store import MlflowStore

    store = MlflowStore(server_uri, server_uri)
    start, results = threading.Barrier(2), []

    def work(folder: Path) -> None:
        submission = make_submission(folder, model_name=name)
        start.wait()
        results.append(submit(MlflowStore(server_uri, server_uri), submission))

    workers = [threading.Thread(target=work, args=(tmp_path / side,)) for side in ("left", "right")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 2
    numbers = {result.version.number for result in results}
    assert len(numbers) == 1
    digest = results[0].version.digest
    assert [version.number for version in store.with_digest(name, digest)] == sorted(numbers)
    assert store.aliases(name) == {"champion": numbers.pop()}
