from __future__ import annotations

from pathlib import Path

from gauntlet.delivery.targets.local.server.processes import rotate


def test_a_long_log_is_put_aside_and_a_short_one_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "7.log"
    rotate(log, 10)
    log.write_text("0123456789")
    rotate(log, 10)
    assert [path.name for path in tmp_path.iterdir()] == ["7.log"]
    for text in ("the first one", "the second one"):
        log.write_text(text)
        rotate(log, 10)
        assert not log.exists()
        assert (tmp_path / "7.log.1").read_text() == text
