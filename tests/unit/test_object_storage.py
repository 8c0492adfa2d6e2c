"""That one package knows where files are kept: its table of schemes, and the clients of storages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from builders.imports import imported_names

pytestmark = pytest.mark.repository

ROOT = Path(__file__).parents[2]
HOME = "src/gauntlet/data/objects"
SEARCHED = ("src/gauntlet", "components", "pipelines")

SCHEMES = "gs|gcs|s3|s3a|s3n|az|abfs|abfss|adl|wasb|wasbs|oci|oss|hdfs|webhdfs|dbfs|file"
TEXT = re.compile(rf"(?<!https)(?<!http)://|\b({SCHEMES}):(?=/|$)|^({SCHEMES})$")
"""A mark of a scheme other than that of a web address, or the name of a scheme of storage."""
CLIENTS = re.compile(
    r"(google\.cloud|gcsfs|fsspec|s3fs|boto3|botocore|aiobotocore|minio|azure|adlfs|smart_open|cloudpathlib|pyarrow\.fs"
    r"|urllib\.parse\.(urlsplit|urlparse))\b"
)

MLFLOW = "MLflow's own addresses, which are handed to MLflow"
WEB = "addresses of web servers"
EXCEPTIONS = {
    "src/gauntlet/delivery/counters/prometheus/client.py": WEB,
    "src/gauntlet/delivery/release.py": "where MLflow keeps a model, handed to KServe, which fetches it",
    "src/gauntlet/delivery/targets/local/client/host_client.py": WEB,
    "src/gauntlet/delivery/targets/local/server/address.py": WEB,
    "src/gauntlet/mlflow_uri.py": MLFLOW,
    "src/gauntlet/orchestration/engine.py": MLFLOW,
    "src/gauntlet/redaction.py": "any address in a message, of which it hides what may be secret",
    "src/gauntlet/registry/mlflow_store.py": MLFLOW,
    "src/gauntlet/reports/format.py": "links on a page",
    "src/gauntlet/serving/acceptance/address.py": WEB,
    "src/gauntlet/training/tracking.py": MLFLOW,
}
"""Module → what its addresses are, if not those of data."""


def findings(text: str) -> Iterator[str]:
    """What a module says of schemes and clients outside its docstrings and comments, each with its line."""
    tree = ast.parse(text)
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("urlsplit", "urlparse"):
            yield f"line {node.lineno}: {node.attr}"
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documentation:
            continue
        if TEXT.search(node.value):
            yield f"line {node.lineno}: {node.value!r}"
    yield from (f"line {line}: import of {name}" for name, line in imported_names(tree) if CLIENTS.match(name))


def modules() -> Iterator[tuple[str, str]]:
    for folder in SEARCHED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(f"{HOME}/"):
                yield name, path.read_text()


def strangers(known: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Modules that know schemes or clients, and are no exception."""
    return {name: lines for name, lines in known.items() if lines and name not in EXCEPTIONS}


def unneeded(known: Mapping[str, list[str]]) -> list[str]:
    """Exceptions of modules that know none, or are gone."""
    return [name for name in EXCEPTIONS if not known.get(name)]


def test_no_other_module_knows_a_scheme_or_a_storage():
    known = {name: list(findings(text)) for name, text in modules()}
    assert len(known) > 400, "modules are not found"
    assert strangers(known) == {}, "use gauntlet.data.objects"
    assert unneeded(known) == []


def test_a_stranger_is_found_and_so_is_an_exception_that_nothing_needs():
    known = {name: ["line 1: 'gs'"] for name in EXCEPTIONS}
    assert strangers(known) == {}
    assert strangers({**known, "src/gauntlet/new.py": ["line 1: 'gs'"], "src/gauntlet/other.py": []}) == {
        "src/gauntlet/new.py": ["line 1: 'gs'"]
    }
    assert unneeded(known) == []
    first, *others = EXCEPTIONS
    assert unneeded({name: known[name] for name in others} | {first: []}) == [first]


def test_the_home_itself_would_be_found():
    home = {path.name: list(findings(path.read_text())) for path in (ROOT / HOME).glob("*.py")}
    assert home["gcs.py"]
    assert home["schemes.py"]


@pytest.mark.parametrize(
    "text",
    [
        'if uri.startswith("gs://"): pass',
        'if uri.startswith("gs:"): pass',
        'if "://" in uri: pass',
        'scheme, _, place = uri.partition("://")',
        'path = f"s3://{bucket}/{name}"',
        'STORES = {"s3": open}',
        'if parts.scheme == "gs": pass',
        'path = uri.removeprefix("file://")',
        "from urllib.parse import urlsplit",
        "import urllib.parse\nparts = urllib.parse.urlsplit(uri)",
        "from google.cloud import storage",
        "def open(uri):\n    import google.cloud.storage as storage",
        "from pyarrow.fs import GcsFileSystem",
        "from pyarrow import fs",
        "import boto3",
        'LINK = Field(description="A path, or s3://…")',
    ],
)
def test_what_is_found(text):
    assert list(findings(text))


@pytest.mark.parametrize(
    "text",
    [
        '"""Reads ``gs://bucket/object``."""',
        'def f():\n    """From ``s3://``."""',
        "x = 1  # gs://bucket",
        'SITE = "https://example.org/a"',
        'SITE = f"http://{host}:{port}"',
        'mode = "profile"\nkind = "files"\nname = "a file: it is not there"',
        "from urllib.parse import urlencode, quote",
        "import pyarrow as pa\nimport google.protobuf",
    ],
)
def test_what_is_not(text):
    assert not list(findings(text))
