"""``gs://`` against a real storage server in a process of its own: pinned means pinned."""

import json
import os
import time
import urllib.error
import urllib.request

import pytest

from builders.stores import FIELD, StoreContract
from emulator.conftest import free_port
from gauntlet.data.importing import import_snapshot
from gauntlet.data.objects import gcs
from gauntlet.data.objects.gcs import GoogleCloudStorage
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.source import Pinned, fetch, resolve
from gauntlet.data.split import SplitOptions
from gauntlet.errors import ConfigurationError, DataError, DependencyError

pytestmark = pytest.mark.emulator

BUCKET = "loans"
ROWS = "id,x,y\n" + "".join(f"{number},{number / 2},{number % 2}\n" for number in range(200))


@pytest.fixture
def bucket(server, monkeypatch):
    """A fresh bucket with object versioning, and the client library pointed at the emulator."""
    from google.cloud import storage

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    name = f"{BUCKET}-{time.time_ns()}"
    post(f"{server}/storage/v1/b?project=test", {"name": name, "versioning": {"enabled": True}})
    return storage.Client().bucket(name)


def post(url, document):
    body = json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()


def put(bucket, name, content):
    blob = bucket.blob(name)
    blob.upload_from_string(content if isinstance(content, bytes) else content.encode())
    return blob


def uris(found):
    return [pinned.uri.split("/", 3)[3] for pinned in found]


def load(pinned, tmp_path, **options):
    return import_snapshot(
        pinned,
        tmp_path / "snapshot",
        roles=Roles(label="y", key=("id",)),
        reader=ReaderOptions(**options),
        split=SplitOptions(),
    )


class Folder:
    """A folder of a bucket, for the contract of every store."""

    def __init__(self, bucket):
        self.store, self.root, self._bucket = GoogleCloudStorage(), f"gs://{bucket.name}/folder", bucket

    def put(self, name, content):
        put(self._bucket, f"folder/{name}", content)

    def remove(self, name):
        self._bucket.blob(f"folder/{name}").delete()


class TestGoogleCloudStorage(StoreContract):
    @pytest.fixture
    def place(self, bucket):
        return Folder(bucket)


def test_a_bucket_is_a_folder(bucket):
    store = GoogleCloudStorage()
    assert store.files_at(f"gs://{bucket.name}", field=FIELD) == []
    put(bucket, "a.csv", ROWS)
    for uri in (f"gs://{bucket.name}", f"gs://{bucket.name}/"):
        assert store.files_at(uri, field=FIELD) == [f"gs://{bucket.name}/a.csv"]
    assert store.files_at("gs://never-was", field=FIELD) is None
    assert store.files_at("gs://never-was/a.csv", field=FIELD) is None


def test_an_object_becomes_a_snapshot_and_is_named_in_it(bucket, tmp_path):
    blob = put(bucket, "train.csv", ROWS)
    pinned = resolve([{"uri": f"gs://{bucket.name}/train.csv"}])
    assert pinned == [
        Pinned(uri=f"gs://{bucket.name}/train.csv", version=str(blob.generation), size=len(ROWS), split=None)
    ]
    snapshot = load(pinned, tmp_path)
    assert sum(snapshot.splits.values()) == 200
    assert snapshot.sources[0]["version"] == str(blob.generation)


def test_overwriting_the_object_does_not_change_what_was_pinned(bucket, tmp_path):
    put(bucket, "train.csv", ROWS)
    pinned = resolve([{"uri": f"gs://{bucket.name}/train.csv"}])
    put(bucket, "train.csv", ROWS.replace("\n0,", "\n100000,"))
    assert resolve([{"uri": f"gs://{bucket.name}/train.csv"}])[0].version != pinned[0].version
    with fetch(pinned[0], tmp_path) as file:
        assert file.path.read_text() == ROWS


def test_a_generation_that_is_gone_is_a_clear_error(bucket, tmp_path):
    put(bucket, "train.csv", ROWS)
    pinned = resolve([{"uri": f"gs://{bucket.name}/train.csv"}])[0]
    gone = pinned.model_copy(update={"version": "1"})
    with pytest.raises(DataError, match="no longer there in the version") as caught:
        load([gone], tmp_path)
    assert "Resolve the sources again" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_folders_and_patterns_list_in_order_and_leave_markers_out(bucket):
    for name in ("d/b.csv", "d/a.csv", "d/sub/c.csv", "d/_SUCCESS", "d/.hidden", "d/a.json", "other/a.csv"):
        put(bucket, name, ROWS)
    root = f"gs://{bucket.name}"
    assert uris(resolve([{"uri": f"{root}/d/"}])) == ["d/a.csv", "d/a.json", "d/b.csv", "d/sub/c.csv"]
    assert uris(resolve([{"uri": f"{root}/d/*.csv"}])) == ["d/a.csv", "d/b.csv"]
    assert uris(resolve([{"uri": f"{root}/**/*.csv"}])) == ["d/a.csv", "d/b.csv", "d/sub/c.csv", "other/a.csv"]
    assert uris(resolve([{"uri": f"{root}/d/[!b].csv"}])) == ["d/a.csv"]
    assert uris(resolve([{"uri": f"{root}/d/?.json"}])) == ["d/a.json"]


def test_a_split_named_at_the_source_reaches_the_snapshot(bucket, tmp_path):
    put(bucket, "a.csv", ROWS)
    put(bucket, "b.csv", ROWS.replace("\n", "\n1000", 200))
    root = f"gs://{bucket.name}"
    pinned = resolve([{"uri": f"{root}/a.csv"}, {"uri": f"{root}/b.csv", "split": "holdout"}])
    assert load(pinned, tmp_path).splits["holdout"] == 200


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{bucket}/nothing.csv", "no such object"),
        ("{bucket}/no/*.csv", "names no object"),
        ("never-was/a.csv", "bucket"),
    ],
)
def test_what_is_not_there_is_a_configuration_error(bucket, name, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        resolve([{"uri": "gs://" + name.format(bucket=bucket.name)}])
    assert caught.value.field == "sources[0].uri"


def test_a_truncated_parquet_object_is_a_data_error(bucket, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.table({"id": list(range(1000)), "x": [0.5] * 1000, "y": [0, 1] * 500}), tmp_path / "whole.parquet"
    )
    put(bucket, "cut.parquet", (tmp_path / "whole.parquet").read_bytes()[:-100])
    pinned = resolve([{"uri": f"gs://{bucket.name}/cut.parquet"}])
    with pytest.raises(DataError, match="cannot be read as parquet") as caught:
        load(pinned, tmp_path)
    assert caught.value.field == f"gs://{bucket.name}/cut.parquet"
    assert not (tmp_path / "snapshot").exists()


def test_a_service_that_does_not_answer_is_a_retryable_dependency_error(monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(gcs, "_RETRY_SECONDS", 0.5)
    with pytest.raises(DependencyError, match="cannot be reached") as caught:
        resolve([{"uri": "gs://some/object.csv"}])
    assert caught.value.retryable


def test_no_credentials_is_a_dependency_error_with_a_mend(monkeypatch, tmp_path):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", os.fspath(tmp_path / "no.json"))
    with pytest.raises(DependencyError, match="credentials"):
        resolve([{"uri": "gs://some/object.csv"}])
