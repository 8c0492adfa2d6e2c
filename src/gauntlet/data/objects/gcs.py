"""Google Cloud Storage: objects found by name or pattern, pinned by generation, downloaded in exactly that one.

``STORAGE_EMULATOR_HOST`` is honoured by the client library. Only this module talks to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from gauntlet.data.objects.patterns import matcher, names_one, prefix_of
from gauntlet.data.objects.store import StoredFile, gone, visible
from gauntlet.digest import digest_bytes, short
from gauntlet.errors import ConfigurationError, DataError, DependencyError

_SCHEME = "gs://"
_CONNECT_SECONDS, _READ_SECONDS = 10.0, 120.0
_RETRY_SECONDS = 30.0


class GoogleCloudStorage:
    """An ``ObjectStore`` of ``gs://bucket/name``; a version is a generation, in decimal digits."""

    def find(self, uri: str, *, field: str) -> list[StoredFile]:
        """Objects by name, folder (ending in ``/``) or pattern, in order of their names."""
        bucket, name = _parse(uri, field)
        if names_one(name):
            return [self.pin(uri, field=field)]
        is_meant = matcher(name)
        with _explained(uri, field):
            listed = self._list(bucket, prefix_of(name))
            files = [_stored(bucket, blob) for blob in listed if is_meant(blob.name)]
        if not files:
            raise ConfigurationError("names no object", field=field, value=uri, mend="Correct the folder or pattern")
        return sorted(files, key=lambda file: file.uri)

    def pin(self, uri: str, *, field: str) -> StoredFile:
        """One object by its name, in its present generation."""
        bucket, name = _parse(uri, field)
        with _explained(uri, field):
            blob = self._look_up(bucket, name)
            if blob is None:
                self._require_bucket(bucket, field)
                raise ConfigurationError("there is no such object", field=field, value=uri, mend="Correct its name")
            return _stored(bucket, blob)

    def files_at(self, uri: str, *, field: str) -> list[str] | None:
        """The object of this name, or those below it as a folder, with or without ``/`` at its end, or a bucket."""
        from google.api_core.exceptions import NotFound

        bucket, _, name = uri.removeprefix(_SCHEME).rstrip("/").partition("/")
        with _explained(uri, field):
            if name and self._look_up(bucket, name) is not None:
                return [_address(bucket, name)]
            folder = f"{name}/" if name else ""
            try:
                names = [blob.name for blob in self._list(bucket, folder)]
            except NotFound:
                return None
        if name and not names:
            return None
        return sorted(_address(bucket, below) for below in names if visible(below.removeprefix(folder)))

    @contextmanager
    def lend(self, uri: str, version: str | None, scratch: Path, *, field: str) -> Iterator[Path]:
        """A download, its checksum verified by the client library, that is removed when the context ends."""
        from google.api_core.exceptions import NotFound

        bucket, name = _parse(uri, field)
        target = scratch / short(digest_bytes(f"{uri}#{version or ''}".encode()))
        with _explained(uri, field):
            blob = self._client.bucket(bucket).blob(name, generation=None if version is None else int(version))
            try:
                blob.download_to_filename(str(target), timeout=_timeout(), retry=_retry())
            except NotFound as error:
                raise (gone(uri) if version is None else _version_gone(uri, version)) from error
        try:
            yield target
        finally:
            target.unlink(missing_ok=True)

    @cached_property
    def _client(self) -> Any:
        from google.cloud import storage

        return storage.Client()

    def _look_up(self, bucket: str, name: str) -> Any:
        """The object with its metadata; ``None``: there is no such object, or bucket."""
        return self._client.bucket(bucket).get_blob(name, timeout=_timeout(), retry=_retry())

    def _list(self, bucket: str, prefix: str) -> Any:
        return self._client.list_blobs(bucket, prefix=prefix, timeout=_timeout(), retry=_retry())

    def _require_bucket(self, bucket: str, field: str) -> None:
        """Tell a missing bucket from a missing object; without permission to ask, say nothing."""
        from google.api_core.exceptions import Forbidden

        try:
            missing = self._client.lookup_bucket(bucket, timeout=_timeout(), retry=_retry()) is None
        except Forbidden:
            return
        if missing:
            raise ConfigurationError("there is no such bucket", field=field, value=bucket, mend="Correct its name")


def _parse(uri: str, field: str) -> tuple[str, str]:
    bucket, _, name = uri.removeprefix(_SCHEME).partition("/")
    if not name:
        raise ConfigurationError(
            "names no object", field=field, value=uri, mend="Write gs://bucket/object, or gs://bucket/folder/"
        )
    return bucket, name


def _address(bucket: str, name: str) -> str:
    return f"{_SCHEME}{bucket}/{name}"


def _stored(bucket: str, blob: Any) -> StoredFile:
    return StoredFile(_address(bucket, blob.name), str(blob.generation), int(blob.size))


def _version_gone(uri: str, version: str) -> DataError:
    return DataError(
        "is no longer there in the version that was resolved",
        field=uri,
        value=f"generation {version}",
        mend="Resolve the sources again; object versioning on the bucket keeps old versions",
    )


def _timeout() -> tuple[float, float]:
    return _CONNECT_SECONDS, _READ_SECONDS


def _retry() -> Any:
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(_RETRY_SECONDS)


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
