"""Behavior files and their bulk rows in a bucket, as a cluster finds them, against a real storage server."""

import io
import json
import time
import urllib.request

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gauntlet.behavior.sources import read_rows, read_suite
from gauntlet.data.source import resolve
from gauntlet.digest import digest_bytes
from gauntlet.errors import ConfigurationError, DataError

pytestmark = pytest.mark.emulator

CHANGE = "  - {name: one, change: [{case: {column: region, to: upper}}], expect: {max_change: 0.1}}"
SUITE = (
    """\
golden:
  - name: the cases of last year
    rows: {uri: cases.parquet, sha256: SHA256}
    expect: {score: {min: 0.5}}
invariance:
"""
    + CHANGE
)


@pytest.fixture
def bucket(server, monkeypatch):
    from google.cloud import storage

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    name = f"behavior-{time.time_ns()}"
    body = json.dumps({"name": name, "versioning": {"enabled": True}}).encode()
    wanted = urllib.request.Request(f"{server}/storage/v1/b?project=test", body, {"Content-Type": "application/json"})
    urllib.request.urlopen(wanted, timeout=10).close()
    return storage.Client().bucket(name)


@pytest.fixture
def kept(bucket):
    """A behavior file in the bucket, with the rows it names beside it; (its address, the rows)."""
    rows, file = pa.table({"region": ["north", "south"]}), io.BytesIO()
    pq.write_table(rows, file)
    bucket.blob("loans/cases.parquet").upload_from_string(file.getvalue())
    suite = SUITE.replace("SHA256", digest_bytes(file.getvalue()))
    bucket.blob("loans/behavior.yaml").upload_from_string(suite.encode())
    return f"gs://{bucket.name}/loans/behavior.yaml", rows


def test_a_file_and_the_rows_beside_it_are_read_from_the_bucket(kept):
    address, rows = kept
    suite, document = read_suite(resolve([{"uri": address}]))
    assert document.name == address
    bulk = suite.golden[0].rows
    assert read_rows(bulk, address, "suite.golden.0.rows") == rows


def test_the_file_is_read_as_it_was_when_it_was_pinned(bucket, kept):
    address, _ = kept
    pinned = resolve([{"uri": address}])
    bucket.blob("loans/behavior.yaml").upload_from_string(b"goldne: []")
    suite, _ = read_suite(pinned)
    assert suite.golden[0].name == "the cases of last year"
    with pytest.raises(ConfigurationError, match=r"line 1.*suite\.goldne: unknown key"):
        read_suite(resolve([{"uri": address}]))


def test_rows_that_somebody_replaced_or_took_away(bucket, kept):
    address, _ = kept
    bulk = read_suite(resolve([{"uri": address}]))[0].golden[0].rows
    bucket.blob("loans/cases.parquet").upload_from_string(b"others")
    with pytest.raises(DataError, match=r"suite\.golden\.0\.rows\.sha256: the file's digest is sha256:"):
        read_rows(bulk, address, "suite.golden.0.rows")
    bucket.blob("loans/cases.parquet").delete()
    with pytest.raises(ConfigurationError, match="there is no such object"):
        read_rows(bulk, address, "suite.golden.0.rows")
