"""Raw counters of both versions from a Prometheus, at one instant, by pod."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files
from string import Template
from typing import Annotated, Literal

from pydantic import Field

from gauntlet.delivery.analysis.plan import CustomMetric
from gauntlet.delivery.counters.prometheus.client import Prometheus
from gauntlet.delivery.counters.prometheus.exposition import Sample
from gauntlet.delivery.counters.prometheus.families import FAMILIES, counters
from gauntlet.delivery.counters.source import Reading
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import Settings

LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]

Arms = Callable[[Rollout], tuple[str, str]]
"""A rollout → values of the label that tells versions apart, for (candidate, stable)."""


class PrometheusPlan(Settings):
    """The Prometheus that a rollout's counters are read from."""

    address: str = Field(description="Of the Prometheus: http://prometheus.monitoring:9090")
    family: Literal["server", "router", "knative", "knative_1_18"] = Field(
        default="server",
        description="Whose series: the model server, the local router, Knative's queue-proxy, or that up to 1.18.",
    )
    selector: dict[LabelName, str] = Field(
        min_length=1, description="Labels that single out the service: namespace, model_name; the versions are added."
    )
    pod_label: LabelName = Field(default="pod", description="The label that names the pod, or whatever was scraped.")
    scrape_seconds: float = Field(default=15.0, gt=0, description="From one scrape to the next.")
    stale_scrapes: int = Field(
        default=4, ge=1, description="Scrapes after which a value that has not been renewed is an error."
    )
    timeout_seconds: float = Field(default=10.0, gt=0, description="Longest wait for an answer.")
    token_file: str = Field(default="", description="A file with a bearer token, if one is needed.")
    ca_file: str = Field(default="", description="Certificates that sign the server's, if the system's do not.")

    @property
    def prometheus(self) -> Prometheus:
        """A client of the server."""
        return Prometheus(self.address, self.timeout_seconds, self.token_file, self.ca_file)


def by_version(rollout: Rollout) -> tuple[str, str]:
    """Name both versions by their version numbers."""
    return rollout.candidate.version, rollout.stable.version


class PrometheusCounters:
    """``CounterSource`` on a Prometheus.

    Prometheus answers with a series' last value for five minutes; a target that is gone is marked, and has none. So a
    pod without series is no pod, while a value that was not renewed for ``stale_scrapes`` scrapes means that Prometheus
    no longer sees what happens: an error.

    Args:
        plan: address, family and selector.
        arms: names of the versions in the series: Knative's revisions have names of their own.

    Raises:
        ConfigurationError: the address is none.
    """

    def __init__(self, plan: PrometheusPlan, arms: Arms = by_version) -> None:
        self._plan = plan
        self._arms = arms
        self._prometheus = plan.prometheus
        self._family = replace(FAMILIES[plan.family], pod=plan.pod_label)

    def read(self, rollout: Rollout) -> Reading:
        """Read the counters now.

        Raises:
            DependencyError: Prometheus does not answer.
            DataError: several series where one was meant, a part of the answer, stale values, or no counters.
            ConfigurationError: the query has a syntax error.
        """
        candidate, stable = self._arms(rollout)
        at = self._prometheus.now()
        queries = family_queries(self._plan.family, (candidate, stable), self._plan.selector)
        self._check_fresh(queries["requests"], at)
        samples = [sample for query in queries.values() for sample in self._prometheus.instant(query, at)]
        self._check_pods(samples)
        by_pod = counters(samples, self._family)
        arms = (
            {pod: counted for (version, pod), counted in by_pod.items() if version == arm}
            for arm in (candidate, stable)
        )
        return Reading(at, *arms)

    def ask(self, metric: CustomMetric, rollout: Rollout) -> float | None:
        """Run the query of a custom metric; a ``judge.CustomQuery``. ``None`` for no data, or NaN (0/0).

        Raises:
            DependencyError, ConfigurationError: as ``read``.
            DataError: the query gives several series.
        """
        candidate, stable = self._arms(rollout)
        since = rollout.began if rollout.held_since is None else rollout.held_since
        at = self._prometheus.now()
        window = max(math.ceil(at - since), math.ceil(2 * self._plan.scrape_seconds))
        placeholders = {
            "candidate": regular(candidate),
            "stable": regular(stable),
            "service": regular(rollout.service),
            "window": f"{window}s",
        }
        samples = self._prometheus.instant(filled(metric.query, placeholders, field=metric.name), at)
        if len(samples) > 1:
            raise DataError(
                f"gives {len(samples)} series where one number was meant",
                field=metric.name,
                value=[dict(sample.labels) for sample in samples[:2]],
                mend="Sum them, or narrow the query",
            )
        return samples[0].value if samples and not math.isnan(samples[0].value) else None

    def _check_fresh(self, query: str, at: float) -> None:
        oldest = self._plan.scrape_seconds * self._plan.stale_scrapes
        for sample in self._prometheus.instant(timestamps(query), at):
            if at - sample.value > oldest:
                raise DataError(
                    f"was last seen {at - sample.value:,.0f} s ago; scrapes are {self._plan.scrape_seconds:g} s apart",
                    field=f"series of {sample.labels.get(self._plan.pod_label, 'a pod')}",
                    value=dict(sample.labels),
                    mend="Find out why Prometheus no longer scrapes it",
                )

    def _check_pods(self, samples: list[Sample]) -> None:
        for sample in samples:
            if self._plan.pod_label not in sample.labels:
                raise DataError(
                    f"carries no label {self._plan.pod_label}, so pods cannot be told apart",
                    field=sample.name,
                    value=sorted(sample.labels),
                    mend="Add it when scraping, or name another as pod_label",
                )


WHAT = ("requests", "latency", "scores", "sliced", "in_flight", "started")
"""What a family may have a query for."""


def family_queries(family: str, versions: tuple[str, ...], selector: Mapping[str, str]) -> dict[str, str]:
    """PromQL of a family's queries, by counter.

    Args:
        family: name of one of ``families.FAMILIES``.
        versions: values of the label that tells versions apart.
        selector: labels, and the values they must have.
    """
    folder = files(__package__) / "queries" / family
    placeholders = {"versions": "|".join(regular(version) for version in versions), "selector": matchers(selector)}
    return {
        what: filled((folder / f"{what}.promql").read_text(), placeholders, field=f"{family}/{what}.promql")
        for what in WHAT
        if (folder / f"{what}.promql").is_file()
    }


def timestamps(query: str) -> str:
    """PromQL of the scrape times of another query's samples."""
    return filled((files(__package__) / "queries" / "timestamps.promql").read_text(), {"query": query}, field="query")


def filled(text: str, placeholders: Mapping[str, str], *, field: str) -> str:
    """Fill in the placeholders of a query and drop its comments.

    Raises:
        ConfigurationError: an unknown placeholder, or a ``$`` that begins none (write ``$$`` for it).
    """
    bare = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")).strip()
    try:
        return Template(bare).substitute(placeholders)
    except (KeyError, ValueError) as error:
        known = ", ".join(f"${name}" for name in placeholders)
        raise ConfigurationError(
            "has a placeholder that is not known",
            field=field,
            value=str(error),
            mend=f"Use {known}, and $$ for a dollar",
        ) from error


def matchers(selector: Mapping[str, str]) -> str:
    """Label matchers: ``namespace="loans",model_name="loans"``."""
    return ",".join(f"{name}={quoted(value)}" for name, value in sorted(selector.items()))


def quoted(text: str) -> str:
    """Quote a PromQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def regular(text: str) -> str:
    """Escape a literal inside a regular expression inside a PromQL string."""
    return quoted(re.escape(text))[1:-1]
