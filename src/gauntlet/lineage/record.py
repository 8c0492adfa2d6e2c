"""The record one task leaves of what it read and made, and the chain of records behind an artifact.

A chain travels as one JSON string in an artifact's metadata (``LINEAGE_KEY``), so it survives any backend that keeps
scalar metadata, and whoever holds an artifact holds its whole history. Records name content digests only: no path, no
time, no run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gauntlet.digest import digest_json
from gauntlet.errors import DataError

DIGEST_KEY = "digest"
LINEAGE_KEY = "lineage"


@dataclass(frozen=True)
class Record:
    """One task: what it ran, with what, on what, to make what.

    Attributes:
        component: the component's name.
        image: the image (or its local environment) it ran in, by name.
        environment: digest of the lock that the image was built from; empty when unknown.
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
        """Identity of the record: the same task on the same content has the same one."""
        return digest_json(asdict(self))


def extend(record: Record, chains: Iterable[str]) -> str:
    """The chain behind the outputs of ``record``: itself and everything behind its inputs, each task once.

    Args:
        record: the task that just ran.
        chains: the ``LINEAGE_KEY`` strings of its input artifacts; empty strings are skipped.

    Returns:
        The JSON string to put into each output's metadata.
    """
    return format_chain((*merge(chains), record))


def merge(chains: Iterable[str]) -> tuple[Record, ...]:
    """The records of several chains, each once, in the order they are met; empty strings are skipped.

    Raises:
        DataError: see ``parse_chain``.
    """
    records = {record.digest: record for chain in chains if chain for record in parse_chain(chain)}
    return tuple(records.values())


def format_chain(records: Iterable[Record]) -> str:
    """Records as the JSON string that travels in metadata, each once."""
    unique = {record.digest: record for record in records}
    return json.dumps([asdict(record) for record in unique.values()], sort_keys=True, separators=(",", ":"))


def parse_chain(chain: str) -> tuple[Record, ...]:
    """The records of a chain, in the order they were added.

    Raises:
        DataError: the string is not a chain.
    """
    try:
        return tuple(Record(**fields) for fields in json.loads(chain))
    except (ValueError, TypeError) as error:
        raise DataError(
            "is not a chain of lineage records",
            field=LINEAGE_KEY,
            value=chain,
            mend="Take the artifact as a Gauntlet component made it",
        ) from error
