"""Tables of labels in a bucket, against a real storage server in a process of its own."""

import json
import time
import urllib.request

import pytest

from gauntlet.data.objects import gcs
from gauntlet.delivery.analysis.label_files import LabelTable
from gauntlet.delivery.analysis.labels import OutcomesSource
from gauntlet.delivery.analysis.state import Outcomes
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.state import begin
from gauntlet.errors import DataError, DependencyError
from gauntlet.settings import parse

pytestmark = pytest.mark.emulator

ROLLOUT = begin("loans", *(Release(number, f"sha256:{number}", f"models/{number}") for number in "21"), 0.0)
HEADER = "version,at,wrong\n"


def send(url, body, kind):
    urllib.request.urlopen(urllib.request.Request(url, body.encode(), {"Content-Type": kind}), timeout=10).close()


class Bucket:
    def __init__(self, server):
        self.server, self.name = server, f"labels-{time.time_ns()}"
        send(f"{server}/storage/v1/b?project=test", json.dumps({"name": self.name}), "application/json")

    def put(self, name, content):
        send(f"{self.server}/upload/storage/v1/b/{self.name}/o?uploadType=media&name={name}", content, "text/csv")

    def counted(self, place):
        source = parse(OutcomesSource, {"uri": f"gs://{self.name}/{place}", "wrong": "wrong"}, field="outcomes")
        return LabelTable(source)(ROLLOUT, 100.0)


@pytest.fixture
def bucket(server, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server)
    monkeypatch.setattr(gcs, "_RETRY_SECONDS", 3.0)
    return Bucket(server)


def test_an_object_is_read_anew_at_every_look(bucket):
    bucket.put("labels.csv", HEADER + "2,1,true\n")
    assert bucket.counted("labels.csv") == Outcomes(1, 1)
    bucket.put("labels.csv", HEADER + "2,1,true\n1,2,false\n")
    assert bucket.counted("labels.csv") == Outcomes(1, 1, 0, 1)


@pytest.mark.parametrize("place", ["daily", "daily/"])
def test_all_objects_below_a_folder_are_one_table(bucket, place):
    bucket.put("daily/2026-01-01.csv", HEADER + "2,1,true\n")
    bucket.put("daily/2026-01-02.csv", HEADER + "2,1,false\n1,1,true\n")
    bucket.put("daily/_SUCCESS", "")
    bucket.put("elsewhere.csv", HEADER + "2,1,true\n")
    assert bucket.counted(place) == Outcomes(1, 2, 1, 1)


def test_what_is_not_there_is_said(bucket):
    with pytest.raises(DataError, match="there is no such file or folder"):
        bucket.counted("labels.csv")


def test_a_server_that_does_not_answer_is_a_dependency_that_may_come_back(bucket, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(DependencyError, match="storage did not respond") as caught:
        bucket.counted("labels.csv")
    assert caught.value.retryable
