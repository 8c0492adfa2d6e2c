"""The identity of a model folder, and the check that has to come before loading one.

Loading a model runs what it holds: a pickle, or the module that its ``MLmodel`` names. So whoever knows which model to
expect verifies the digest first, on a copy of their own, and loads that copy.

The digest covers every file but ``registered_model_meta``, which MLflow adds when a registered model is downloaded.
"""

from __future__ import annotations

from pathlib import Path

from gauntlet.digest import digest_tree, short
from gauntlet.errors import BrokenArtifact, DataError

MLMODEL_FILE = "MLmodel"
ADDED_BY_DOWNLOAD = "registered_model_meta"


def digest_model(folder: Path) -> str:
    """Content digest of a model folder: the same bytes give the same digest wherever they lie.

    Raises:
        DataError: the folder holds no ``MLmodel``.
    """
    if not (folder / MLMODEL_FILE).is_file():
        raise DataError("is not an MLflow model", field=str(folder), mend="Give a folder that holds an MLmodel file")
    return digest_tree(folder, keep=lambda name: name != ADDED_BY_DOWNLOAD)


def verify_model(folder: Path, expected: str) -> None:
    """Make sure that a model is the one expected. Reads files, loads nothing.

    Raises:
        DataError: no model there, or its content differs.
    """
    found = digest_model(folder)
    if found != expected:
        raise BrokenArtifact(
            f"holds another model than expected ({short(expected)}…); it was not loaded",
            field=str(folder),
            value=found,
            mend="Fetch or train the model again, and find out who changed it",
        )
