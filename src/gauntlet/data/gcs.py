"""Objects in Google Cloud Storage: found by name or pattern, pinned by generation, downloaded in exactly that one.

``STORAGE_EMULATOR_HOST`` is honoured by the client library. Only this module talks to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.errors import ConfigurationError, DataError, DependencyError

_WILDCARD = re.compile(r"[*?\[]")
_CONNECT_SECONDS, _READ_SECONDS = 10.0, 120.0
_RETRY_SECONDS = 30.0


@dataclass(frozen=True)
class FoundObject:
    """An object in the generation that is current now.

    Attributes:
        uri: ``gs://bucket/name``.
        generation: decimal digits.
        size: bytes.
    """

    uri: str
    generation: str
    size: int


def find(uri: str, field: str) -> list[FoundObject]:
    """The objects a URI names, in order of their names.

    Args:
        uri: ``gs://bucket/object``; ending in ``/``: all below it but hidden ones and those beginning with ``_``; or a
            pattern (``*`` and ``?`` stay within one level, ``**`` does not).
        field: the option it comes from, for messages.

    Raises:
        ConfigurationError: no such bucket or object, or not a valid URI.
        DependencyError: the service is not reachable, or refuses.
    """
    bucket, name = _parse(uri, field)
    with _explained(uri, field):
        client = _client()
        if not name.endswith("/") and not _WILDCARD.search(name):
            blob = client.bucket(bucket).get_blob(name, timeout=_timeout(), retry=_retry())
            if blob is None:
                _require_bucket(client, bucket, field)
                raise ConfigurationError("there is no such object", field=field, value=uri, mend="Correct its name")
            return [_found(bucket, blob)]
        prefix = _WILDCARD.split(name)[0]
        matches = _matcher(name)
        blobs = client.list_blobs(bucket, prefix=prefix, timeout=_timeout(), retry=_retry())
        found = [_found(bucket, blob) for blob in blobs if matches(blob.name)]
    if not found:
        raise ConfigurationError("names no object", field=field, value=uri, mend="Correct the folder or pattern")
    return sorted(found, key=lambda item: item.uri)


def download(uri: str, generation: str, folder: Path) -> Path:
    """Download an object in one generation, its checksum verified by the client library.

    Args:
        uri: ``gs://bucket/object``.
        generation: which version.
        folder: where to; the file's name is made from the URI's digest.

    Raises:
        DataError: that generation is gone.
        DependencyError: the service is not reachable, or refuses.
    """
    from google.api_core.exceptions import NotFound

    from gauntlet.digest import digest_bytes, short

    bucket, name = _parse(uri, "pinned")
    target = folder / short(digest_bytes(f"{uri}#{generation}".encode()))
    with _explained(uri, "pinned"):
        blob = _client().bucket(bucket).blob(name, generation=int(generation))
        try:
            blob.download_to_filename(str(target), timeout=_timeout(), retry=_retry())
        except NotFound as error:
            raise DataError(
                "is no longer there in the version that was resolved",
                field=uri,
                value=f"generation {generation}",
                mend="Resolve the sources again; object versioning on the bucket keeps old versions",
            ) from error
    return target


def _parse(uri: str, field: str) -> tuple[str, str]:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if not bucket or not name:
        raise ConfigurationError(
            "names no object", field=field, value=uri, mend="Write gs://bucket/object, or gs://bucket/folder/"
        )
    return bucket, name


def _client() -> Any:
    from google.cloud import storage

    return storage.Client()


def _timeout() -> tuple[float, float]:
    return _CONNECT_SECONDS, _READ_SECONDS


def _retry() -> Any:
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(_RETRY_SECONDS)


def _found(bucket: str, blob: Any) -> FoundObject:
    return FoundObject(f"gs://{bucket}/{blob.name}", str(blob.generation), int(blob.size))


def _require_bucket(client: Any, bucket: str, field: str) -> None:
    """Tell a missing bucket from a missing object; without permission to ask, say nothing."""
    from google.api_core.exceptions import Forbidden

    try:
        missing = client.lookup_bucket(bucket, timeout=_timeout(), retry=_retry()) is None
    except Forbidden:
        return
    if missing:
        raise ConfigurationError("there is no such bucket", field=field, value=bucket, mend="Correct its name")


def _matcher(pattern: str) -> Callable[[str], object]:
    """Whether a name is one that a folder or pattern means."""
    if not pattern.endswith("/"):
        return re.compile(_translate(pattern)).fullmatch

    def below(name: str) -> bool:
        parts = name.removeprefix(pattern).split("/")
        return parts[-1] != "" and not any(part.startswith((".", "_")) for part in parts)

    return below


def _translate(pattern: str) -> str:
    """A pattern as a regular expression: ``**`` crosses levels, ``*`` and ``?`` do not."""
    rules = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern)
    return "".join(
        rules.get(part, part.replace("[!", "[^") if part.startswith("[") and len(part) > 1 else re.escape(part))
        for part in parts
    )


@contextmanager
def _explained(uri: str, field: str) -> Iterator[None]:
    """Say what the client library's errors mean for whoever has to act."""
    import requests  # type: ignore[import-untyped]  # no stubs in this environment
    from google.api_core import exceptions
    from google.auth.exceptions import DefaultCredentialsError, TransportError

    try:
        yield
    except DefaultCredentialsError as error:
        raise DependencyError(
            "no Google Cloud credentials are found",
            field=field,
            value=uri,
            mend="Set GOOGLE_APPLICATION_CREDENTIALS, or run: gcloud auth application-default login",
        ) from error
    except (exceptions.Forbidden, exceptions.Unauthorized) as error:
        raise DependencyError(
            "Google Cloud Storage refuses access",
            field=field,
            value=uri,
            mend="Give the account the role Storage Object Viewer on the bucket",
        ) from error
    except exceptions.NotFound as error:
        raise ConfigurationError(
            "there is no such bucket or object", field=field, value=uri, mend="Correct its name"
        ) from error
    except (exceptions.GoogleAPIError, requests.RequestException, TransportError) as error:
        raise DependencyError(
            "Google Cloud Storage cannot be reached",
            field=field,
            value=uri,
            mend="Check the network and, with an emulator, STORAGE_EMULATOR_HOST",
            retryable=True,
        ) from error
