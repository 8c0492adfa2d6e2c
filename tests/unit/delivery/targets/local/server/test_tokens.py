from __future__ import annotations

import os
from pathlib import Path

import pytest

from gauntlet.delivery.targets.local.server.tokens import token_of


def test_a_token_outlives_its_host_and_is_its_owners_secret(tmp_path: Path) -> None:
    token = token_of(tmp_path)
    assert token_of(tmp_path) == token
    assert len(token) == 64
    assert (tmp_path / "host.token").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["host.token"]


@pytest.mark.parametrize("spoiled", ["read by others", "empty", "text", "a link", "a folder's link", "no UTF-8"])
def test_a_token_that_may_be_known_or_is_none_is_replaced(tmp_path: Path, spoiled: str) -> None:
    token, path = token_of(tmp_path), tmp_path / "host.token"
    if spoiled == "read by others":
        path.chmod(0o640)
    elif "link" in spoiled:
        path.unlink()
        path.symlink_to(tmp_path if "folder" in spoiled else tmp_path / "elsewhere")
    else:
        path.write_bytes({"empty": b"", "text": b"../..", "no UTF-8": b"\xff" * 64}[spoiled])
    new = token_of(tmp_path)
    assert new != token
    assert path.read_text() == new
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    assert token_of(tmp_path) == new


def test_without_a_file_the_token_is_nobodys(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.mkdir(tmp_path / "host.token")
    assert len({token_of(tmp_path), token_of(tmp_path)}) == 2
    assert "nobody can change this service" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["host.token"]
