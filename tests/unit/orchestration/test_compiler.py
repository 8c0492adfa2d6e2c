from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.compiler import (
    compile_all,
    compile_components,
    compile_pipeline,
    component_lists,
    documents,
    orphans,
    read_settings,
    write,
)
from gauntlet.orchestration.placement import CompileSettings, amount
from gauntlet.settings import parse
from toy import ToyProject

FULL = {
    "images": {"registry": "ghcr.io/acme/", "tag": "7"},
    "defaults": {"memory": "2Gi", "secrets": [{"secret": "mlflow", "keys": {"uri": "MLFLOW_TRACKING_URI"}}]},
    "components": {
        "make_words": {
            "cpu": "500m",
            "memory": "8Gi",
            "cpu_request": "250m",
            "memory_request": "1Gi",
            "env": {"MODE": "fast"},
            "node_selector": {"pool": "words"},
            "tolerations": [{"key": "words", "operator": "Exists", "effect": "NoSchedule"}],
            "retries": 2,
            "timeout_seconds": 60,
        }
    },
}


def settings(values: dict[str, object] | None = None) -> CompileSettings:
    return parse(CompileSettings, values, field="settings")


def spec_of(toy: ToyProject, values: dict[str, object] | None = None) -> dict[str, object]:
    return dict(documents(compile_pipeline(toy.project, "words", settings(values)).text))


COMPILE = """
import sys
from pathlib import Path
from gauntlet.orchestration.compiler import compile_all
from gauntlet.orchestration.placement import CompileSettings
from gauntlet.orchestration.project import Project
from gauntlet.settings import parse
import json
chosen = parse(CompileSettings, json.loads(sys.argv[2]), field="settings")
for spec in compile_all(Project(Path(sys.argv[1])), chosen):
    sys.stdout.write(spec.name + "\\n" + spec.text)
"""


def test_the_same_bytes_in_every_process_and_folder(toy, tmp_path):
    elsewhere = tmp_path / "deep" / "er" / "copy"
    shutil.copytree(toy.folder, elsewhere)
    texts = set()
    for seed, root in (("0", toy.folder), ("1", elsewhere), ("4242", toy.folder)):
        process = subprocess.run(
            [sys.executable, "-c", COMPILE, str(root), json.dumps(FULL)],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": f"UTC{seed[0]}"},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
        texts.add(process.stdout)
    assert len(texts) == 1
    text = texts.pop()
    assert "finish" in text
    assert str(toy.folder) not in text


def test_no_source_code_is_in_the_spec(toy):
    text = compile_pipeline(toy.project, "words", settings()).text
    assert "def " not in text
    assert "write_text" not in text


def test_only_what_is_pure_is_cached(toy):
    tasks = spec_of(toy)["root"]["dag"]["tasks"]
    cached = {name for name, task in tasks.items() if task["cachingOptions"].get("enableCache")}
    assert cached == {"make-words", "make-words-2", "count-words", "count-words-2"}


def test_settings_land_in_the_spec_component_over_default(toy):
    spec = spec_of(toy, FULL)
    executors = spec["deploymentSpec"]["executors"]
    pods = spec["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for name in ("exec-make-words", "exec-make-words-2"):
        container = executors[name]["container"]
        assert container["image"] == "ghcr.io/acme/gauntlet/toy:7"
        assert container["resources"]["resourceMemoryLimit"] == "8Gi"
        assert container["resources"]["resourceCpuLimit"] == "500m"
        assert container["resources"]["resourceMemoryRequest"] == "1Gi"
        assert container["env"] == [{"name": "MODE", "value": "fast"}]
        assert pods[name]["nodeSelector"]["labels"] == {"pool": "words"}
        assert pods[name]["tolerations"] == [{"key": "words", "operator": "Exists", "effect": "NoSchedule"}]
        assert pods[name]["activeDeadlineSeconds"] == "60"
    assert executors["exec-finish"]["container"]["resources"]["resourceMemoryLimit"] == "2Gi"
    assert "env" not in executors["exec-finish"]["container"]
    assert pods["exec-finish"]["secretAsEnv"][0]["secretName"] == "mlflow"
    assert "nodeSelector" not in pods["exec-finish"]
    assert spec["root"]["dag"]["tasks"]["make-words"]["retryPolicy"]["maxRetryCount"] == 2


def test_a_whole_reference_wins(toy):
    reference = "ghcr.io/acme/toy@sha256:" + "0" * 64
    spec = spec_of(toy, {"images": {"references": {"toy": reference}, "tag": "9"}})
    assert {executor["container"]["image"] for executor in spec["deploymentSpec"]["executors"].values()} == {reference}


def test_a_pod_asks_for_little_unless_told_otherwise(toy):
    spec = spec_of(toy, {"defaults": {"cpu": "50m", "memory": "4Gi"}, "components": {"finish": {"cpu": None}}})
    executors = spec["deploymentSpec"]["executors"]
    words = executors["exec-make-words"]["container"]["resources"]
    assert (words["resourceCpuLimit"], words["resourceCpuRequest"]) == ("50m", "50m")
    assert (words["resourceMemoryLimit"], words["resourceMemoryRequest"]) == ("4Gi", "256Mi")
    assert executors["exec-finish"]["container"]["resources"]["resourceCpuRequest"] == "100m"


def test_requests_can_be_left_to_the_cluster(toy):
    nothing = {"cpu_request": None, "memory_request": None}
    spec = spec_of(toy, {"defaults": nothing})
    assert all("resources" not in executor["container"] for executor in spec["deploymentSpec"]["executors"].values())


def test_a_request_above_the_limit_is_refused_where_it_was_written(toy):
    with pytest.raises(ConfigurationError) as caught:
        spec_of(toy, {"defaults": {"memory": "1Gi"}, "components": {"finish": {"memory_request": "1500M"}}})
    assert str(caught.value) == (
        "components.finish.memory_request: exceeds the limit of 1Gi; Kubernetes rejects such a pod; found '1500M'. "
        "Lower memory_request, or raise memory."
    )


@pytest.mark.parametrize(
    ("quantity", "number"),
    [("2", 2), ("500m", 0.5), ("0.5", 0.5), ("1k", 1000), ("1Ki", 1024), ("4Gi", 4 * 2**30), ("1.5M", 1_500_000)],
)
def test_quantities_are_read_as_kubernetes_does(quantity, number):
    assert float(amount(quantity)) == number


def test_a_run_has_a_deadline_of_its_pipelines_own(toy):
    def deadline(values):
        return spec_of(toy, values)["platforms"]["kubernetes"]["pipelineConfig"]["activeDeadlineSeconds"]

    assert deadline(None) == 172_800
    assert deadline({"deadline_seconds": 60, "deadlines": {}}) == 60
    assert deadline({"deadline_seconds": 60, "deadlines": {"words": 90}}) == 90
    with pytest.raises(ConfigurationError, match="exec-finish: timeout 600 s exceeds the run's 60 s"):
        deadline({"deadline_seconds": 60, "components": {"finish": {"timeout_seconds": 600}}})


def test_no_two_specs_have_one_name(toy):
    names = [
        documents(compiled_spec.text)["pipelineInfo"]["name"] for compiled_spec in compile_all(toy.project, settings())
    ]
    assert sorted(names) == ["count-words", "finish-component", "make-words", "resolve-text-component", "words"]
    toy.edit("pipelines/words.py", 'name="words"', 'name="make-words"')
    with pytest.raises(ConfigurationError, match=r"is the name of two specs, words\.yaml and make_words\.yaml in comp"):
        compile_all(toy.project, settings())


def test_each_component_is_a_spec_of_its_own(toy):
    compiled = {compiled_spec.name: compiled_spec for compiled_spec in compile_components(toy.project, settings(FULL))}
    assert compiled.keys() == {"count_words", "finish", "make_words", "resolve_text"}
    spec = yaml.safe_load(compiled["make_words"].text)
    assert spec["deploymentSpec"]["executors"]["exec-make-words"]["container"]["image"] == "ghcr.io/acme/gauntlet/toy:7"
    assert compiled["make_words"].path == toy.folder / "pipelines/compiled/components/make_words.yaml"


def test_writing_twice_changes_nothing_the_second_time(toy):
    assert all(write(compiled_spec) for compiled_spec in compile_all(toy.project, settings()))
    assert not any(write(compiled_spec) for compiled_spec in compile_all(toy.project, settings()))


def test_a_change_is_seen_and_a_leftover_is_an_orphan(toy):
    for compiled_spec in compile_all(toy.project, settings()):
        write(compiled_spec)
    toy.edit("pipelines/words.py", 'text: str = "word"', 'text: str = "other"')
    compiled = compile_all(toy.project, settings())
    assert [compiled_spec.name for compiled_spec in compiled if compiled_spec.difference(toy.folder)] == ["words"]
    assert "+        defaultValue: other" in compiled[0].difference(toy.folder)
    leftover = toy.write("pipelines/compiled/old.yaml", "# PIPELINE DEFINITION\n# Name: old\n")
    toy.write("pipelines/compiled/notes.yaml", "a: 1\n")
    assert orphans(toy.project.compiled, compiled) == [leftover]


@pytest.mark.parametrize(
    ("name", "before", "after", "message"),
    [
        ("components/toy/finish.py", "        how: The way.\n", "", "finish: input how has no description"),
        ("pipelines/words.py", "        how: How to end.\n", "", "the pipeline: input how has no description"),
        ("pipelines/words.py", 'name="words"', 'name="Words of mine"', "lower case letters, digits and hyphens"),
        ("components/toy/finish.py", '@component(image="toy", caching=Caching.ACTING)', "@bare", "not declared"),
        ("pipelines/words.py", "components.toy.finish", "components.toy.finnish", "cannot be imported"),
    ],
)
def test_what_breaks_a_rule_is_not_compiled(toy, name, before, after, message):
    toy.edit(name, before, after)
    if after == "@bare":
        toy.edit(name, "@bare", "from kfp import dsl\n\n\n@dsl.component(base_image='a', target_image='a')")
    with pytest.raises(ConfigurationError, match=message):
        compile_pipeline(toy.project, "words", settings())


def test_a_pipeline_file_defines_one_pipeline(toy):
    toy.write("pipelines/words.py", "nothing = 1\n")
    with pytest.raises(ConfigurationError, match="defines 0 pipelines"):
        compile_pipeline(toy.project, "words", settings())


def test_only_training_may_ask_for_an_accelerator(toy):
    with pytest.raises(ConfigurationError, match=r"requests nvidia\.com/gpu; only train_model may"):
        compile_pipeline(toy.project, "words", settings({"components": {"finish": {"accelerator": {}}}}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("defualts: {}", "Did you mean 'defaults'"),
        ("defaults: {memory: lots}", "defaults.memory"),
        ("components: {make_wrods: {}}", "no such component; found 'make_wrods'. Did you mean 'make_words'?"),
        ("components: {make_words: {retries: 99}}", "retries"),
        ("deadlines: {wrods: 60}", "no such pipeline; found 'wrods'. Did you mean 'words'?"),
        ("deadline_seconds: 0", "deadline_seconds"),
        ("[1]", "is not a mapping"),
        ("a: [", "cannot be read"),
    ],
)
def test_settings_are_checked(toy, text, message):
    path = toy.write("other.yaml", text)
    with pytest.raises(ConfigurationError) as caught:
        read_settings(toy.project, path)
    assert message in str(caught.value)


def test_the_projects_own_settings_are_the_default(toy):
    assert read_settings(toy.project) == CompileSettings()
    toy.write("pipelines/settings.yaml", "images: {tag: '5'}\n")
    assert read_settings(toy.project).images.tag == "5"


def test_an_unknown_pipeline_gets_a_suggestion(toy):
    with pytest.raises(ConfigurationError, match="Did you mean 'words'"):
        compile_pipeline(toy.project, "wrods", settings())


@pytest.mark.parametrize("folder", ["pipelines", "components/toy"])
def test_nothing_to_compile_is_an_error(toy, folder):
    for path in Path(toy.folder / folder).glob("*.py"):
        path.unlink()
    with pytest.raises(ConfigurationError):
        compile_all(toy.project, settings())


def test_a_new_component_is_listed_for_its_image(toy):
    toy.write("components/toy/sing.py", (toy.folder / "components/toy/finish.py").read_text())
    (listed,) = component_lists(toy.project)
    assert listed.path == toy.folder / "components/toy/kfp_config.ini"
    assert "+sing = sing.py" in listed.difference(toy.folder)
    assert write(listed)
    (again,) = component_lists(toy.project)
    assert again.difference(toy.folder) == ""
