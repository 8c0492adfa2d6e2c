"""The command that builds an image, for each tool; building itself is shown by ``make images`` and tests/images."""

import importlib.util
import itertools
import re
import subprocess
from pathlib import Path

import pytest

from gauntlet.digest import digest_file
from gauntlet.orchestration.environments import images
from gauntlet.orchestration.project import find_project

ROOT = Path(__file__).parents[3]
IMAGES = images(find_project(ROOT))
TEXT = (ROOT / "containers" / "Containerfile").read_text()


@pytest.fixture
def build():
    spec = importlib.util.spec_from_file_location("build", ROOT / "containers" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command(build, tool="podman", image="evaluation", lock="requirements.lock", **options):
    path = ROOT / "containers" / image / lock
    return build.build_command(tool, image, lock=path, revision="abc123", **{"secrets": {}, **options})


def arguments(words):
    return dict(word.split("=", 1) for flag, word in itertools.pairwise(words) if flag == "--build-arg")


def target_of(words):
    return words[words.index("--target") + 1]


def test_an_image_is_told_its_lock_and_the_revision(build):
    given = arguments(command(build))
    assert given["LOCK_DIGEST"] == digest_file(ROOT / "containers/evaluation/requirements.lock")
    assert given["CODE_REVISION"] == "abc123"
    assert "BASE" not in given


def test_the_accelerators_lock_is_chosen_by_argument(build):
    given = arguments(command(build, image="model", lock="requirements.cuda.lock"))
    assert (given["IMAGE"], given["LOCK"]) == ("model", "requirements.cuda.lock")


def test_compilers_come_only_where_a_lock_needs_them(build):
    assert arguments(command(build, image="data"))["COMPILERS"] == "g++ python3-dev"
    assert "COMPILERS" not in arguments(command(build))


def test_only_the_serving_image_is_a_server(build):
    targets = {image: target_of(command(build, image=image)) for image in ("data", "evaluation", "serving")}
    assert targets == {"data": "components", "evaluation": "components", "serving": "server"}
    stages = re.split(r"^FROM ", TEXT, flags=re.M)
    assert [stage.split("\n")[0] for stage in stages[1:]] == ["${BASE} AS components", "components AS server"]
    assert 'ENTRYPOINT ["python3", "-m", "gauntlet.serving.server"]' in stages[2]
    assert "ENTRYPOINT" not in stages[1]


def test_certificates_and_indexes_are_lent_as_files_and_are_no_argument(build, tmp_path):
    certificates = tmp_path / "mine.crt"
    certificates.write_text("certificates")
    variables = {"SSL_CERT_FILE": str(certificates), "PIP_INDEX_URL": "https://me:it's@index.example/simple"}
    with build.lent(variables) as secrets:
        assert secrets["certificates"] == certificates
        script = f'. {secrets["indexes"]}; printf %s "$PIP_INDEX_URL"'
        said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
        assert said == variables["PIP_INDEX_URL"]
        words = command(build, secrets=secrets)
    assert f"id=certificates,src={certificates}" in words
    assert not any("index.example" in word for word in words)
    assert not secrets["indexes"].exists()


def test_a_machine_without_certificates_or_indexes_lends_nothing(build, tmp_path):
    with build.lent({"SSL_CERT_FILE": str(tmp_path / "none.crt"), "PIP_INDEX_URL": ""}) as secrets:
        assert secrets == {}
    assert "--secret" not in command(build)


@pytest.mark.parametrize(("tool", "verb"), [("podman", "build"), ("buildah", "bud"), ("docker", "build")])
def test_every_tool_has_its_own_words(build, tool, verb, monkeypatch):
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")
    words = command(build, tool)
    assert words[:2] == [tool, verb]
    assert words[-3:] == ["--tag", "gauntlet/evaluation:0.1.0", str(ROOT)]
    assert ("--isolation" in words) is (tool != "docker")
    assert ("--layers" in words) is (tool != "docker")


@pytest.mark.parametrize("image", IMAGES)
def test_every_argument_and_secret_of_a_build_is_one_the_containerfile_takes(build, image):
    locks = sorted((ROOT / "containers" / image).glob("*.lock"))
    assert locks
    for lock in locks:
        assert set(arguments(command(build, image=image, lock=lock.name))) <= set(re.findall(r"^ARG (\w+)", TEXT, re.M))
    assert set(re.findall(r"type=secret,id=(\w+)", TEXT)) == {"certificates", "indexes"}


def test_an_image_runs_as_nobody_in_the_folder_of_its_components():
    assert "COPY components/${IMAGE} /components" in TEXT
    assert "WORKDIR /components" in TEXT
    assert re.search(r"^USER \d+:\d+$", TEXT, re.M)
    assert "_KFP_RUNTIME=true" in TEXT


def test_packages_come_before_code_and_what_lineage_records_is_never_cached():
    order = ["RUN --mount", "COPY src/", "COPY components/", "ARG CODE_REVISION", "RUN python3 -m compileall", "\nENV "]
    places = [TEXT.index(word) for word in order]
    assert places == sorted(places)
