"""The model server itself, scraped while it answers."""

from __future__ import annotations

import json
from pathlib import Path

from builders.judging import V1
from builders.model_server import serving
from builders.prometheus import Running, wait_for
from builders.served_models import train_one
from gauntlet.delivery.counters.prometheus.exposition import parse_exposition
from gauntlet.delivery.counters.prometheus.families import SERVER, counters
from gauntlet.delivery.counters.prometheus.source import PrometheusCounters, PrometheusPlan
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.state import begin
from gauntlet.settings import parse

ROLLOUT = begin("loans", Release("7", "sha256:7", "models/7"), V1, 0.0)


def test_counters_are_those_of_the_server_whatever_it_was_asked(watching: Running, tmp_path: Path) -> None:
    folder = train_one("binary", tmp_path / "loans")
    example = json.loads((folder / "input_example.json").read_text())
    row = dict(zip(example["columns"], example["data"][0], strict=True))
    given = {"address": watching.address, "selector": {"model_name": "loans"}, "scrape_seconds": 1}
    counter_source = PrometheusCounters(parse(PrometheusPlan, given, field="prometheus"))
    with serving(folder, tmp_path / "scratch", "--slice_columns", "region") as server:
        watching.scrape({"x": server.port})
        for rows in ([row], [row] * 3, [{"refused": 1}], []):
            server.ask("POST", "/v1/models/loans:predict", {"instances": rows})
        page = server.ask("GET", "/metrics")[1]
        own = counters(parse_exposition(page, prefix="gauntlet_"), SERVER)["7", ""]
        seen = wait_for(
            lambda: (found := counter_source.read(ROLLOUT).candidate) and found["x"].requests == 4 and found["x"]
        )
    assert seen == own
    assert (own.requests, own.errors, own.scores[float("inf")]) == (4, 0, 4)
    assert len(own.scores) == 100
