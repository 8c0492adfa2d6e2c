"""KFP artifacts in a folder, for calling component functions as the executor does."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("_KFP_RUNTIME", "true")

COMPONENTS = Path(__file__).resolve().parents[2] / "components"


def load_component(image: str, name: str) -> Any:
    """The component's function, decorated as it is at run time."""
    path = COMPONENTS / image / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"component_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def artifact(kind: str, path: Path, **metadata: Any) -> Any:
    """An artifact of a KFP type (``Dataset``, ``Model``, …) that lies at ``path``."""
    from kfp import dsl

    return getattr(dsl, kind)(uri=str(path), metadata=metadata)
