"""The lineage document of a registered model: everything behind it, by content digest, in one JSON file.

It is built from the chains that artifacts carry (``gauntlet.lineage.record``), checked, and attached to the registered
version. It answers: from which rows, under which schema, by which code, with which parameters and seeds, past which
gates? A document that leaves a link open is not written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gauntlet.digest import digest_tree
from gauntlet.errors import DataError
from gauntlet.lineage.record import DIGEST_KEY, LINEAGE_KEY, Record, format_chain, merge
from gauntlet.storage import write_json
from gauntlet.verdict import Verdict

FORMAT = "gauntlet.lineage/1"
LINEAGE_FILE = "lineage.json"
MODEL = "model"
VERDICTS = "verdicts"


@dataclass(frozen=True)
class Subject:
    """An artifact that the document is about.

    Attributes:
        name: what it is to the model: ``model``, ``snapshot``, ``schema``, ``statistics``, ``verdicts``
        digest: its content digest.
        chain: the lineage chain in its metadata; empty for an artifact that no Gauntlet component made.
    """

    name: str
    digest: str
    chain: str = ""

    @classmethod
    def of(cls, name: str, path: Path, metadata: Mapping[str, Any]) -> Subject:
        """The subject an artifact is: by the digest its maker gave it, or by its content.

        Args:
            name: what it is to the model.
            path: where it lies.
            metadata: the artifact's metadata.
        """
        known = metadata.get(DIGEST_KEY)
        return cls(name, str(known) if known else digest_tree(path), str(metadata.get(LINEAGE_KEY, "")))


@dataclass(frozen=True)
class GateResult:
    """What one gate said: the gate, its status and its sentence."""

    gate: str
    status: str
    summary: str


@dataclass(frozen=True)
class Document:
    """Where a model comes from.

    Attributes:
        model_name: the registered model it was registered under.
        run: the pipeline run that registered it; empty when unknown.
        artifacts: name → digest of what the document is about; ``model`` is always there.
        sources: the pinned files the snapshot was read from (``uri``, ``version``, …).
        verdicts: what the gates said.
        roots: name → digest of artifacts that came from outside, with no record of how they were made.
        records: every task behind the artifacts; a task comes after those it read from.
    """

    model_name: str
    run: str
    artifacts: Mapping[str, str]
    sources: Sequence[Mapping[str, Any]] = ()
    verdicts: Sequence[GateResult] = ()
    roots: Mapping[str, str] = field(default_factory=dict)
    records: Sequence[Record] = ()

    def history(self, *digests: str) -> tuple[Record, ...]:
        """The records that any of ``digests`` descends from, in the document's order."""
        wanted, found = set(digests), set[str]()
        while fresh := [r for r in self.records if r.digest not in found and wanted & set(r.outputs.values())]:
            found.update(record.digest for record in fresh)
            wanted.update(digest for record in fresh for digest in record.inputs.values())
        return tuple(record for record in self.records if record.digest in found)

    def chain(self, digest: str) -> str:
        """The lineage chain behind one artifact, as its metadata carries it; empty for a root."""
        records = self.history(digest)
        return format_chain(records) if records else ""

    @property
    def training(self) -> Record | None:
        """The task that made the model; ``None`` for a model from outside.

        A model fetched from the registry has two makers, the fetch and the training: the one that read something made
        it, the other passed it on.
        """
        model = self.artifacts[MODEL]
        makers = [record for record in self.records if model in record.outputs.values()]
        return next((maker for maker in makers if maker.inputs), makers[0] if makers else None)

    @property
    def seeds(self) -> Mapping[str, Any]:
        """Parameters of the training task that name a seed: ``{"seed": 0, "n_seeds": 3}``."""
        parameters = self.training.parameters if self.training else {}
        return {name: value for name, value in parameters.items() if "seed" in name}

    @property
    def environments(self) -> Mapping[str, str]:
        """Image name → lock digest (or image digest) the tasks ran in; images of unknown environment are left out."""
        return {record.image: record.environment for record in self.records if record.environment}

    def write(self, path: Path) -> None:
        """Write the document as JSON, whole or not at all."""
        write_json(path, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read a document back and check it.

        Raises:
            DataError: not a lineage document, or one with an open link.
        """
        try:
            content = json.loads(path.read_text())
            if content.pop("format") != FORMAT:
                raise ValueError("another format")
            content["sources"] = tuple(content["sources"])
            content["verdicts"] = tuple(GateResult(**verdict) for verdict in content["verdicts"])
            content["records"] = tuple(Record(**record) for record in content["records"])
            document = cls(**content)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                "is not a lineage document", field=path.name, value=str(error), mend="Register the model again"
            ) from error
        check(document)
        return document


def build(
    subjects: Sequence[Subject],
    *,
    model_name: str,
    verdicts: Sequence[Verdict] = (),
    sources: Sequence[Mapping[str, Any]] = (),
    run: str = "",
) -> Document:
    """Merge the chains of ``subjects`` into one checked document.

    Args:
        subjects: the model and everything registered with it. One without a chain becomes a named root.
        model_name: the registered model.
        verdicts: what the gates said.
        sources: pinned files behind the snapshot.
        run: the pipeline run.

    Raises:
        DataError: a link is open, see ``check``.
    """
    document = Document(
        model_name=model_name,
        run=run,
        artifacts={subject.name: subject.digest for subject in subjects},
        sources=tuple(dict(source) for source in sources),
        verdicts=tuple(GateResult(one.gate, one.status.value, one.summary) for one in verdicts),
        roots={subject.name: subject.digest for subject in subjects if not subject.chain},
        records=merge(subject.chain for subject in subjects),
    )
    check(document)
    return document


def check(document: Document) -> None:
    """Make sure that nothing in the document hangs in the air.

    Starting from the named roots, a record counts once everything it read is accounted for, and then accounts for what
    it made. In the end every record and every artifact must be accounted for; records that only account for each
    other (a task that passes its input on unchanged) do not.

    Raises:
        DataError: naming the first artifact or input that is not.
    """
    known, open_records = set(document.roots.values()), list(document.records)
    while grounded := [record for record in open_records if known.issuperset(record.inputs.values())]:
        known.update(digest for record in grounded for digest in record.outputs.values())
        open_records = [record for record in open_records if record not in grounded]
    for record in open_records:
        for name, digest in record.inputs.items():
            if digest not in known:
                raise _open_link(f"lineage of {record.component}, input {name}", digest)
    for name, digest in document.artifacts.items():
        if digest not in known:
            raise _open_link(f"lineage of {name}", digest)
    if MODEL not in document.artifacts:
        raise DataError("names no model", field="lineage", mend="Register the model again")


def explain(document: Document) -> str:
    """The document in words: a few lines for a person who asks where the model comes from."""
    return "\n".join(_sentences(document))


def _sentences(document: Document) -> Iterable[str]:
    artifacts = document.artifacts
    yield f"{document.model_name}: model {artifacts[MODEL]}" + (f", run {document.run}." if document.run else ".")
    training = document.training
    if training is None:
        yield "The model came from outside: there is no record of its training."
    else:
        environment = training.environment or "unknown"
        code = training.code or "unknown"
        yield f"Made by {training.component} in image {training.image} (environment {environment}, code {code})."
        yield f"Parameters: {json.dumps(dict(training.parameters), sort_keys=True)}."
        for name, digest in training.inputs.items():
            yield f"It read {name} {digest}."
    for name, digest in artifacts.items():
        if name not in {MODEL, VERDICTS}:
            yield f"Registered with {name} {digest}."
    for source in document.sources:
        yield f"Data: {source.get('uri', '?')} at version {source.get('version', '?')}."
    for verdict in document.verdicts:
        yield f"{verdict.gate}: {verdict.status}. {verdict.summary}"
    for name, digest in document.roots.items():
        yield f"From outside, with no record of how it was made: {name} {digest}."


def _open_link(field_name: str, digest: str) -> DataError:
    return DataError(
        "was made by no recorded task and is no named root",
        field=field_name,
        value=digest,
        mend="Connect the artifacts that Gauntlet's components made, as they made them",
    )
