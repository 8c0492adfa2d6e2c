"""What register_model is given, in miniature: model, snapshot, schema, statistics and verdict, with their lineage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from builders.verdicts import check
from gauntlet.digest import digest_tree
from gauntlet.lineage.document import Document, Subject, build
from gauntlet.lineage.record import Record, extend
from gauntlet.model_digest import digest_model
from gauntlet.registry.registration import Submission
from gauntlet.verdict import Status, Verdict

SOURCES = [{"uri": "gs://loans/span-1.csv", "version": "1700000000000001", "size": 4096}]
CODE = "9b2c1d0"


@dataclass(frozen=True)
class Evidence:
    """Folders and their lineage chains: ``model``, ``snapshot``, ``schema``, ``statistics``."""

    root: Path
    chains: dict[str, str]

    def subjects(self) -> list[Subject]:
        return [Subject(name, digest_of(self.root / name, name), chain) for name, chain in self.chains.items()]


def digest_of(folder: Path, name: str) -> str:
    return digest_model(folder) if name == "model" else digest_tree(folder)


def verdict(status: Status = Status.PASS, gate: str = "evaluate_performance") -> Verdict:
    numbers = (0.91, (0.90, 0.92), 0.8, "min", 5000)
    found = check("auc", status, "AUC is 0.91.", *numbers, gate=gate, subject="auc")
    return Verdict(gate, (found,), f"AUC is 0.91, the gate says {status}.")


def make_evidence(root: Path, *, weights: str = "1 2 3", seed: int = 7) -> Evidence:
    """Write the folders under ``root``; ``weights`` decides which model it is."""
    files = {
        "model/MLmodel": "flavors:\n  python_function:\n    loader_module: none\n",
        "model/data/weights.txt": weights,
        "schema/schema.pbtxt": "feature { name: 'age' }\n",
        "statistics/train.pb": "statistics",
        "snapshot/train/part-00000.parquet": "rows",
        "snapshot/snapshot.json": json.dumps(
            {
                "format": "gauntlet.snapshot/1",
                "digest": "sha256:" + "5" * 64,
                "columns": {"age": "int"},
                "roles": {},
                "splits": {"train": {"rows": 1, "parts": ["train/part-00000.parquet"]}},
                "sources": SOURCES,
            }
        ),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    at = {name: digest_of(root / name, name) for name in ("model", "snapshot", "schema", "statistics")}

    def record(component: str, image: str, made: str, read: tuple[str, ...], parameters: dict) -> Record:
        inputs = {name: at[name] for name in read}
        return Record(component, image, f"sha256:lock-{image}", CODE, parameters, inputs, {made: at[made]})

    imported = extend(record("import_snapshot", "data", "snapshot", (), {"pinned": SOURCES}), ())
    described = extend(record("compute_statistics", "data", "statistics", ("snapshot",), {}), [imported])
    inferred = extend(record("infer_schema", "data", "schema", ("statistics",), {}), [described])
    training = record("train_model", "model", "model", ("snapshot", "schema"), {"seed": seed, "recipe": {"depth": 4}})
    trained = extend(training, [imported, inferred])
    return Evidence(root, {"model": trained, "snapshot": imported, "schema": inferred, "statistics": described})


def make_document(evidence: Evidence, *verdicts: Verdict, model_name: str = "loans", run: str = "run-1") -> Document:
    root = Subject("verdicts", "sha256:verdicts")
    subjects = [*evidence.subjects(), root]
    return build(subjects, model_name=model_name, verdicts=verdicts, sources=SOURCES, run=run)


def make_submission(
    root: Path, *verdicts: Verdict, model_name: str = "loans", weights: str = "1 2 3", run: str = "run-1"
) -> Submission:
    said = verdicts or (verdict(),)
    evidence = make_evidence(root, weights=weights)
    document = make_document(evidence, *said, model_name=model_name, run=run)
    return Submission(root / "model", root / "statistics", root / "schema", document, said)
