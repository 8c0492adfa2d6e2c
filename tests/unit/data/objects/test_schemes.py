"""Addresses and the stores they belong to."""

import pytest

from builders.stores import add_memory_store
from gauntlet.data.objects.gcs import GoogleCloudStorage
from gauntlet.data.objects.local import LocalFiles
from gauntlet.data.objects.schemes import BUCKET_ADDRESSES, is_local, relative_to, store_of
from gauntlet.data.source import fetch, resolve
from gauntlet.errors import ConfigurationError


@pytest.mark.parametrize("uri", ["a.csv", "/data/a.csv", "deep/*.csv", "c:odd", ""])
def test_an_address_without_a_scheme_is_a_local_path(uri):
    assert is_local(uri)
    assert isinstance(store_of(uri, field="uri"), LocalFiles)


@pytest.mark.parametrize("uri", ["gs://bucket", "gs://bucket/", "gs://bucket/a.csv"])
def test_a_scheme_of_the_table_belongs_to_its_store(uri):
    assert not is_local(uri)
    assert isinstance(store_of(uri, field="uri"), GoogleCloudStorage)


@pytest.mark.parametrize("uri", ["s3://labels/", "https://labels/x.csv", "file:///tmp/x.csv", "GS://bucket/x", "://x"])
def test_other_kinds_are_refused_with_those_that_are_known(uri):
    with pytest.raises(ConfigurationError, match="is of a kind that is not supported") as caught:
        store_of(uri, field="outcomes.uri")
    assert caught.value.field == "outcomes.uri"
    assert caught.value.value == uri.partition("://")[0] + "://"
    assert caught.value.mend == "Use gs:// or a local path"


@pytest.mark.parametrize("uri", ["gs://", "gs:///", "gs:///a.csv"])
def test_an_address_needs_a_bucket(uri):
    with pytest.raises(ConfigurationError, match="names no bucket") as caught:
        store_of(uri, field="outcomes.uri")
    assert (caught.value.value, caught.value.mend) == (uri, "Write gs://bucket/…")


@pytest.mark.parametrize(
    ("file", "uri", "address"),
    [
        ("loans/suite.yaml", "rows.parquet", "loans/rows.parquet"),
        ("suite.yaml", "rows.parquet", "rows.parquet"),
        ("gs://bucket/loans/suite.yaml", "rows.parquet", "gs://bucket/loans/rows.parquet"),
        ("gs://bucket/suite.yaml", "gs://other/rows.parquet", "gs://other/rows.parquet"),
        ("loans/suite.yaml", "gs://other/rows.parquet", "gs://other/rows.parquet"),
        ("loans/suite.yaml", "/data/rows.parquet", "/data/rows.parquet"),
    ],
)
def test_what_a_file_names_starts_in_its_folder(file, uri, address):
    assert relative_to(file, uri) == address


def test_a_new_kind_is_one_line_of_the_table(monkeypatch, tmp_path):
    memory = add_memory_store(monkeypatch)
    for name in ("a.csv", "b.csv", "_SUCCESS"):
        memory.put(f"mem://loans/{name}", name.encode())
    pinned = resolve([{"uri": "mem://loans/", "split": "test"}])
    assert [(file.uri, file.version, file.split) for file in pinned] == [
        ("mem://loans/a.csv", "1", "test"),
        ("mem://loans/b.csv", "1", "test"),
    ]
    memory.put("mem://loans/a.csv", b"changed")
    with fetch(pinned[0], tmp_path) as file:
        assert file.path.read_bytes() == b"a.csv"
    with pytest.raises(ConfigurationError, match="not supported") as caught:
        resolve([{"uri": "s3://loans/"}])
    assert caught.value.mend == "Use gs://, mem:// or a local path"


def test_descriptions_of_settings_name_the_addresses():
    assert BUCKET_ADDRESSES == "gs://…"
