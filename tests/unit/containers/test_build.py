"""The command that builds an image, for each tool; building itself is shown by ``make images`` and tests/images."""

import importlib.util
import itertools
import re
from pathlib import Path

import pytest

from gauntlet.digest import digest_file

ROOT = Path(__file__).parents[3]
IMAGES = ("data", "model", "evaluation", "delivery")


@pytest.fixture
def build():
    spec = importlib.util.spec_from_file_location("build", ROOT / "containers" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command(build, tool="podman", image="evaluation", lock="requirements.lock", **options):
    path = ROOT / "containers" / image / lock
    return build.build_command(tool, image, lock=path, base=None, revision="abc123", **options)


def arguments(words):
    return dict(word.split("=", 1) for flag, word in itertools.pairwise(words) if flag == "--build-arg")


def test_an_image_is_told_its_lock_and_the_revision(build):
    given = arguments(command(build))
    assert given["LOCK_DIGEST"] == digest_file(ROOT / "containers/evaluation/requirements.lock")
    assert given["CODE_REVISION"] == "abc123"
    assert "BASE" not in given


def test_the_accelerators_lock_is_chosen_by_argument(build):
    assert arguments(command(build, image="model", lock="requirements.cuda.lock"))["LOCK"] == "requirements.cuda.lock"


def test_what_reaches_a_package_index_is_passed_on_when_it_is_set(build, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    given = arguments(command(build))
    assert given["PIP_INDEX_URL"] == "https://index.example/simple"
    assert "SSL_CERT_FILE" not in given


@pytest.mark.parametrize(("tool", "verb"), [("podman", "build"), ("buildah", "bud"), ("docker", "build")])
def test_every_tool_has_its_own_words(build, tool, verb, monkeypatch):
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")
    words = command(build, tool)
    assert words[:2] == [tool, verb]
    assert words[-3:] == ["--tag", "gauntlet/evaluation:0.1.0", str(ROOT)]
    assert ("--isolation" in words) is (tool != "docker")
    assert ("--layers=false" in command(build, tool, once=True)) is (tool != "docker")


@pytest.mark.parametrize("image", IMAGES)
def test_every_argument_of_a_build_is_one_the_containerfile_takes(build, image, monkeypatch):
    for name in build.PASSED_ON:
        monkeypatch.setenv(name, "x")
    folder = ROOT / "containers" / image
    taken = set(re.findall(r"^ARG (\w+)", (folder / "Containerfile").read_text(), re.M))
    for lock in folder.glob("*.lock"):
        assert set(arguments(command(build, image=image, lock=lock.name))) <= taken


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_as_nobody_in_the_folder_of_its_components(image):
    text = (ROOT / "containers" / image / "Containerfile").read_text()
    last = text[text.rindex("FROM ") :]
    assert f"COPY components/{image} /components" in last
    assert "WORKDIR /components" in last
    assert re.search(r"^USER \d+:\d+$", last, re.M)
    assert "_KFP_RUNTIME=true" in last
    assert "SSL_CERT_FILE" not in last
