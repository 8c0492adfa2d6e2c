"""Lineage record of one task (its inputs and outputs), and the chain of records of an artifact.

A chain is one JSON string in an artifact's metadata (``LINEAGE_KEY``): any backend that keeps scalar metadata preserves
it, and an artifact carries its whole history. Records name content digests only: no path, no time, no run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gauntlet.digest import digest_json
from gauntlet.errors import BrokenArtifact

DIGEST_KEY = "digest"
LINEAGE_KEY = "lineage"


@dataclass(frozen=True)
class Record:
    """Lineage record of one task.

    Attributes:
        component: the component's name.
        image: the image (or its local environment) it ran in, by name.
        environment: digest of the lock file that the image was built from; empty when unknown.
        code: revision of Gauntlet's code; empty when unknown.
        parameters: the task's parameters as given.
        inputs: input name → content digest.
        outputs: output name → content digest.
    """

    component: str
    image: str
    environment: str = ""
    code: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Identity of the record: equal tasks on equal content have equal digests."""
        return digest_json(asdict(self))


def extend(record: Record, chains: Iterable[str]) -> str:
    """Chain of the outputs of ``record``: the record and the chains of its inputs, each task once.

    Args:
        record: the task that just ran.
        chains: the ``LINEAGE_KEY`` strings of its input artifacts; empty strings are skipped.

    Returns:
        The JSON string for each output's metadata.
    """
    return format_chain((*merge(chains), record))


def merge(chains: Iterable[str]) -> tuple[Record, ...]:
    """Merge the records of several chains, each once, in order of appearance; empty strings are skipped.

    Raises:
        DataError: see ``parse_chain``.
    """
    records = {record.digest: record for chain in chains if chain for record in parse_chain(chain)}
    return tuple(records.values())


def format_chain(records: Iterable[Record]) -> str:
    """Format records as the JSON string for metadata, each once."""
    unique = {record.digest: record for record in records}
    return json.dumps([asdict(record) for record in unique.values()], sort_keys=True, separators=(",", ":"))


def parse_chain(chain: str) -> tuple[Record, ...]:
    """Parse the records of a chain, in the order they were added.

    Raises:
        DataError: the string is not a chain.
    """
    try:
        return tuple(Record(**fields) for fields in json.loads(chain))
    except (ValueError, TypeError) as error:
        raise BrokenArtifact(
            "is not a chain of lineage records",
            field=LINEAGE_KEY,
            value=chain,
            mend="Use the output artifact of a Gauntlet component unchanged",
        ) from error
