"""Project: the folder with ``components/``, ``pipelines/`` and ``containers/``, and the import of its code.

At compile time the project's root is on ``sys.path`` and both folders are namespace packages, so a pipeline says
``from components.data.resolve_source import resolve_source``. Gauntlet's own repository is a project; so is any folder
laid out like it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.definition import PipelineDefinition

_FOLDERS = ("components", "pipelines", "containers")


@dataclass(frozen=True)
class Project:
    """Project and the paths in it.

    Attributes:
        root: absolute path of the project's folder.
    """

    root: Path

    @property
    def components(self) -> Path:
        """One folder an image, one file a component."""
        return self.root / "components"

    @property
    def pipelines(self) -> Path:
        """One file a pipeline."""
        return self.root / "pipelines"

    @property
    def compiled(self) -> Path:
        """The published specs."""
        return self.pipelines / "compiled"

    @property
    def containers(self) -> Path:
        """One folder an image: its requirements and its lock."""
        return self.root / "containers"

    @property
    def environments(self) -> Path:
        """One virtual environment an image."""
        return self.root / ".environments"

    def pipeline_files(self) -> dict[str, Path]:
        """Pipeline files by name."""
        return {path.stem: path for path in sorted(self.pipelines.glob("*.py")) if not path.stem.startswith("_")}

    def component_files(self) -> dict[str, Path]:
        """Component files by name, over all images."""
        return {path.stem: path for path in sorted(self.components.glob("*/*.py")) if not path.stem.startswith("_")}


def find_project(start: Path) -> Project:
    """Find the project that contains ``start``, or else the one that contains this library.

    Raises:
        ConfigurationError: neither is inside a project.
    """
    installed = Path(__file__).resolve().parents[3]
    for folder in (start.resolve(), *start.resolve().parents, installed):
        if all((folder / name).is_dir() for name in _FOLDERS):
            return Project(folder)
    raise ConfigurationError(
        "is not inside a Gauntlet project",
        field="project",
        value=str(start),
        mend=f"Change to a folder that has {', '.join(_FOLDERS)}, or name it with --project",
    )


def load_pipeline(project: Project, name: str) -> PipelineDefinition:
    """Import ``pipelines/<name>.py`` and return the pipeline it defines.

    Args:
        project: whose pipeline.
        name: the file's name without ``.py``; hyphens may stand for underscores.

    Raises:
        ConfigurationError: there is no such file, or it does not define exactly one pipeline.
    """
    known = project.pipeline_files()
    stem = name.replace("-", "_")
    if stem not in known:
        close = get_close_matches(stem, known, n=1)
        mend = f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(known) or '(none is defined)'}"
        raise ConfigurationError("no such pipeline", field="pipeline", value=name, mend=mend)
    with _on_import_path(project):
        module = _import(project, f"pipelines.{stem}", known[stem])
    definitions = [
        value
        for value in vars(module).values()
        if isinstance(value, PipelineDefinition) and value.function.__module__ == module.__name__
    ]
    if len(definitions) != 1:
        raise ConfigurationError(
            f"defines {len(definitions)} pipelines",
            field=f"pipelines/{stem}.py",
            mend="Define exactly one function under @pipeline in each file",
        )
    return definitions[0]


def load_components(project: Project) -> dict[str, object]:
    """Import every component of the project: function name → KFP component.

    Raises:
        ConfigurationError: a file does not define the component of its own name.
    """
    loaded: dict[str, object] = {}
    with _on_import_path(project):
        for name, path in project.component_files().items():
            module = _import(project, f"components.{path.parent.name}.{name}", path)
            if not hasattr(module, name):
                raise ConfigurationError(
                    f"defines no component {name!r}",
                    field=str(path.relative_to(project.root)),
                    mend="Name the file after its function",
                )
            loaded[name] = getattr(module, name)
    return loaded


@contextmanager
def _on_import_path(project: Project) -> Iterator[None]:
    """Put the root on ``sys.path``; afterwards drop what was imported from it, since another project may follow."""
    sys.path.insert(0, str(project.root))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(project.root))
        for name in [name for name in sys.modules if name.split(".")[0] in {"components", "pipelines"}]:
            del sys.modules[name]


def _import(project: Project, name: str, path: Path) -> ModuleType:
    try:
        module = importlib.import_module(name)
    except (ImportError, SyntaxError) as error:
        raise ConfigurationError(
            f"cannot be imported: {error}",
            field=str(path.relative_to(project.root)),
            mend="Correct the import, or add the file that is missing",
        ) from error
    if module.__file__ is None or Path(module.__file__).resolve() != path.resolve():
        raise ConfigurationError(
            f"another package of this name shadows {path.relative_to(project.root)}",
            field=name.split(".")[0],
            value=module.__file__,
            mend="Uninstall it, or run in an environment without it",
        )
    return module
