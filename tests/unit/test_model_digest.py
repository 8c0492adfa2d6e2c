"""A model's digest covers all that loading it runs, and looking at a folder comes to an end whatever lies in it."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from gauntlet.errors import DataError
from gauntlet.model_digest import copy_model, digest_model, verify_model

MLMODEL = """
flavors:
  python_function:
    artifacts: {rules: {path: artifacts/rules.json, uri: /home/someone/rules.json}}
    code: code
    data: data
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: shop_model
    config: {store: /srv/features}
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    for name, text in {"MLmodel": MLMODEL, "code/shop_model.py": "X = 1\n", "artifacts/rules.json": "{}"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_copy_is_the_same_model_wherever_it_lies(model, tmp_path):
    before = digest_model(model)
    copy_model(model, tmp_path / "copy")
    (tmp_path / "copy" / "registered_model_meta").write_text("added by a download")
    verify_model(tmp_path / "copy", before)
    (tmp_path / "copy" / "code" / "shop_model.py").write_text("X = 2\n")
    with pytest.raises(DataError, match="holds another model than expected"):
        verify_model(tmp_path / "copy", before)


def link(path: Path, to: str) -> None:
    path.symlink_to(to)


def listen(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's path is short
        try:
            one.bind(path.name)
        finally:
            os.chdir(here)


STRANGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link to a device without end": (lambda path: link(path, "/dev/zero"), "is a link"),
    "a link to nothing": (lambda path: link(path, "nowhere"), "is a link"),
    "a link to itself": (lambda path: link(path, path.name), "is a link"),
    "a folder in itself": (lambda path: link(path, ".."), "is a link"),
    "a file outside": (lambda path: link(path, "/etc/hostname"), "is a link"),
    "a file inside": (lambda path: link(path, "shop_model.py"), "is a link"),
    "a pipe": (os.mkfifo, "is a pipe"),
    "a socket": (listen, "is a socket"),
}


@pytest.mark.parametrize(("make", "words"), STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("look", [digest_model, lambda folder: copy_model(folder, folder.parent / "copy")])
def test_what_is_no_file_of_its_own_is_refused_before_the_copy(model, make, words, look):
    make(model / "code" / "strange")
    with pytest.raises(DataError, match=words) as caught:
        look(model)
    assert "code/strange" in str(caught.value)
    assert not (model.parent / "copy").exists()


def test_a_device_is_refused(model):
    try:
        os.mknod(model / "zero", 0o20644, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")
    with pytest.raises(DataError, match="is a device"):
        copy_model(model, model.parent / "copy")


def test_a_name_that_is_no_text_is_shown_and_refused(model):
    (model / os.fsdecode(b"weights-\xff.bin")).write_bytes(b"")
    with pytest.raises(DataError, match=r"weights-\\xff.bin: has a name that is not UTF-8"):
        digest_model(model)


def test_what_becomes_a_link_during_the_copy_is_no_part_of_it(model, monkeypatch):
    copied = shutil.copytree

    def late(source: Path, to: Path, **options: object) -> None:
        (source / "late").symlink_to("/etc/hostname")
        monkeypatch.undo()
        copied(source, to, **options)

    monkeypatch.setattr(shutil, "copytree", late)
    copy = model.parent / "copy"
    copy_model(model, copy)
    with pytest.raises(DataError, match="late: is a link"):
        digest_model(copy)


OUTSIDE = {
    "code": ("code: code", "code: /opt/elsewhere", "flavors.python_function.code"),
    "code above": ("code: code", "code: ../elsewhere", "flavors.python_function.code"),
    "code around": ("code: code", "code: code/../../elsewhere", "flavors.python_function.code"),
    "data": ("data: data", "data: /opt/weights", "flavors.python_function.data"),
    "an artifact": ("path: artifacts/rules.json", "path: /etc/passwd", "flavors.python_function.artifacts.rules.path"),
    "an address": ("data: data", "data: file:///opt/weights", "flavors.python_function.data"),
    "a home": ("data: data", "data: ~/weights", "flavors.python_function.data"),
    "another flavor": ("flavors:", "flavors:\n  sklearn: {pickled_model: ../m.pkl}", "flavors.sklearn.pickled_model"),
    "code from a file": ("code: code", "model_code_path: /opt/agent.py", "flavors.python_function.model_code_path"),
    "a list": ("code: code", "code: [code, ../elsewhere]", "flavors.python_function.code.1"),
    "an example": ("flavors:", "saved_input_example_info: {artifact_path: /x}\nflavors:", "_info.artifact_path"),
}


@pytest.mark.parametrize(("before", "after", "key"), OUTSIDE.values(), ids=OUTSIDE)
def test_a_path_that_leads_out_is_refused_by_its_key(model, before, after, key):
    (model / "MLmodel").write_text(MLMODEL.replace(before, after, 1))
    with pytest.raises(DataError, match="leads out of the model's folder") as caught:
        digest_model(model)
    assert f"{key}: leads" in str(caught.value)


def test_code_that_was_saved_from_a_file_is_that_files_copy(model):
    (model / "MLmodel").write_text(MLMODEL.replace("code: code", "model_code_path: /home/someone/agent.py"))
    (model / "agent.py").write_text("")
    assert digest_model(model)


@pytest.mark.parametrize(
    "text",
    ["flavors: [", "flavors: !!python/object/apply:os.getcwd []", "[" * 5_000, "\udcff"],
    ids=["no YAML", "a program", "deep", "no text"],
)
def test_a_description_that_cannot_be_read_is_refused(model, text):
    (model / "MLmodel").write_text(text, errors="surrogateescape")
    with pytest.raises(DataError, match="its MLmodel cannot be read"):
        digest_model(model)


def test_a_description_that_names_one_list_a_billion_times_is_read_once(model):
    names = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9 if i else ['x'])}]" for i in range(12)]
    (model / "MLmodel").write_text("\n".join([*names, "flavors: *a11", ""]))
    assert digest_model(model)


def test_a_folder_without_a_description_is_no_model(tmp_path):
    for look in (digest_model, lambda folder: copy_model(folder, tmp_path / "copy")):
        with pytest.raises(DataError, match="is not an MLflow model"):
            look(tmp_path / "nothing")
