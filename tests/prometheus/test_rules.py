"""The alerts, as promtool plays them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import yaml

from builders.prometheus import PROMTOOL

ROOT = Path(__file__).parents[2]
RULES = ROOT / "manifests" / "monitoring" / "prometheusrule.yaml"


def promtool(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    assert PROMTOOL
    return subprocess.run([PROMTOOL, *words], cwd=folder, capture_output=True, text=True, check=False)


def spec() -> dict[str, object]:
    return yaml.safe_load(RULES.read_text())["spec"]


def test_every_alert_rings_when_it_should_and_not_before(tmp_path: Path) -> None:
    (tmp_path / "gauntlet.yaml").write_text(yaml.safe_dump(spec()))
    shutil.copy(Path(__file__).with_name("rules.yaml"), tmp_path)
    checked = promtool("check", "rules", "gauntlet.yaml", folder=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    played = promtool("test", "rules", "rules.yaml", folder=tmp_path)
    assert played.returncode == 0, played.stdout + played.stderr


def test_every_alert_is_played() -> None:
    alerts = {rule["alert"] for group in spec()["groups"] for rule in group["rules"] if "alert" in rule}
    played = Path(__file__).with_name("rules.yaml").read_text()
    assert len(alerts) == 5
    for name in alerts:
        assert f"alertname: {name}" in played


def test_the_scrape_job_of_the_page_is_one(tmp_path: Path) -> None:
    job = RULES.with_name("README.md").read_text().split("```yaml\n")[1].split("```")[0]
    found_by = "kubernetes_sd_configs: [{role: pod}]"  # which Debian's Prometheus is built without
    assert found_by in job
    (tmp_path / "targets.json").write_text("[]")
    (tmp_path / "prometheus.yml").write_text(job.replace(found_by, "file_sd_configs: [{files: [targets.json]}]"))
    checked = promtool("check", "config", "prometheus.yml", folder=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_rule_that_never_rings_is_noticed(tmp_path: Path) -> None:
    deaf = yaml.safe_dump(spec()).replace("> 0.05", "> 0.5")
    (tmp_path / "gauntlet.yaml").write_text(deaf)
    shutil.copy(Path(__file__).with_name("rules.yaml"), tmp_path)
    assert "GauntletErrors" in promtool("test", "rules", "rules.yaml", folder=tmp_path).stderr
