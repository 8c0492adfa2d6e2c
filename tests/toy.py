"""A small project with components and a pipeline of its own, for tests of the engine, the compiler and the command.

Its one image's environment is the environment that runs the tests, so nothing is built or downloaded.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from gauntlet.digest import digest_file
from gauntlet.orchestration import environments
from gauntlet.orchestration.project import Project
from gauntlet.storage import write_json

HEADER = """from typing import Optional

from kfp.dsl import HTML, Artifact, Dataset, Input, Output

from gauntlet.orchestration.component import Caching, component

"""

COMPONENTS = {
    "resolve_text": '''
@component(image="toy", caching=Caching.RESOLVING)
def resolve_text(path: str) -> str:
    """Read a text from outside.

    Args:
        path: File, relative to the folder of the command; nothing if empty.

    Returns:
        The text.
    """
    import os
    from pathlib import Path

    return (Path(os.environ["GAUNTLET_WORKDIR"]) / path).read_text() if path else ""
''',
    "make_words": '''
@component(image="toy", caching=Caching.PURE)
def make_words(text: str, count: int, words: Output[Dataset], report: Output[HTML]):
    """Repeat a text.

    Args:
        text: What to repeat.
        count: How often.
        words: One a line.
        report: The same for people.
    """
    from pathlib import Path

    folder = Path(words.path)
    folder.mkdir(parents=True)
    (folder / "words.txt").write_text(f"{text}\\n" * count)
    words.metadata["rows"] = count
    Path(report.path).write_text(f"<!-- run --><p>{count}</p>")
''',
    "count_words": '''
@component(image="toy", caching=Caching.PURE)
def count_words(words: Input[Dataset], verdict: Output[Artifact], more: Optional[Input[Dataset]] = None) -> int:
    """Count words.

    Args:
        words: One a line.
        more: Others to count as well.
        verdict: Whether there are any.

    Returns:
        Their number.
    """
    from pathlib import Path

    from gauntlet.verdict import Check, Status, Verdict

    given = [words] if more is None else [words, more]
    n = sum(len((Path(one.path) / "words.txt").read_text().splitlines()) for one in given)
    assert all("lineage" in one.metadata for one in given)
    status = Status.PASS if n else Status.FAIL
    check = Check(name="words", status=status, reason=f"{n} words", code="words.count")
    Verdict("words", (check,), f"There are {n} words.").write(Path(verdict.path))
    return n
''',
    "finish": '''
@component(image="toy", caching=Caching.ACTING)
def finish(count: int, run: str, how: str = "") -> str:
    """End in some way.

    Args:
        count: Number of words.
        run: Name of the run.
        how: The way.

    Returns:
        What was counted.
    """
    import os
    import signal
    import time

    from gauntlet import errors

    ways = {
        "gate": errors.GateStopped("too few words"),
        "configuration": errors.ConfigurationError("is not a way", field="how", value=how, mend="Choose another"),
        "data": errors.DataError("has no words", field="words"),
        "crash": RuntimeError("a defect"),
    }
    if how == "silent-one":
        os._exit(1)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "slow":
        time.sleep(60)
    if how:
        raise ways[how]
    return f"{count} in {run}"
''',
}

PIPELINE = '''from components.toy.count_words import count_words
from components.toy.finish import finish
from components.toy.make_words import make_words
from components.toy.resolve_text import resolve_text
from kfp import dsl

from gauntlet.orchestration.definition import pipeline


@pipeline(name="words")
def words(count: int, path: str = "", text: str = "word", how: str = "", options: dict = {}):
    """Make words and count them.

    Args:
        count: How many words.
        path: File whose text is repeated instead of the text.
        text: What is repeated.
        how: How to end.
        options: Nothing looks at them.
    """
    outside = resolve_text(path=path)
    made = make_words(text=text, count=count)
    more = make_words(text=outside.output, count=1).set_display_name("make-more-words")
    counted = count_words(words=made.outputs["words"])
    count_words(words=made.outputs["words"], more=more.outputs["words"]).set_display_name("count-all-words")
    finish(count=counted.outputs["Output"], run=dsl.PIPELINE_JOB_NAME_PLACEHOLDER, how=how)
'''


@dataclass
class ToyProject:
    """A project in a folder of its own."""

    project: Project
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.project.root

    @classmethod
    def create(cls, root: Path) -> ToyProject:
        """Write the project."""
        toy = cls(Project(root))
        for name, source in COMPONENTS.items():
            toy.write(f"components/toy/{name}.py", HEADER + source)
        listing = "".join(f"{name} = {name}.py\n" for name in COMPONENTS)
        toy.write("components/toy/kfp_config.ini", f"[Components]\n{listing}")
        toy.write("pipelines/words.py", PIPELINE)
        toy.write("containers/toy/requirements.lock", "# nothing\n")
        toy.write("containers/kfp-runtime.lock", "# nothing\n")
        toy.write(".environments/toy/bin/python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n').chmod(0o755)
        toy.stamp()
        return toy

    def write(self, name: str, text: str) -> Path:
        """Write one of its files."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def edit(self, name: str, before: str, after: str) -> None:
        """Change one of its files."""
        text = (self.folder / name).read_text()
        assert before in text
        self.write(name, text.replace(before, after))

    def stamp(self) -> None:
        """Say that the environment was built from the lock as it is now."""
        stamp = environments.stamp_of(
            self.folder / "containers/toy/requirements.lock", self.folder / "containers/kfp-runtime.lock"
        )
        write_json(self.folder / ".environments/toy" / environments.STAMP, stamp)

    @property
    def lock(self) -> str:
        """Digest of the image's lock."""
        return digest_file(self.folder / "containers/toy/requirements.lock")
