"""The engine replaces a private attribute of one version of kfp; these tests fail when kfp moves it."""

import io
from importlib.metadata import version

import pytest
from kfp import dsl, local
from kfp.local import config, subprocess_task_handler

from gauntlet.errors import DependencyError
from gauntlet.orchestration import task_handler
from gauntlet.orchestration.task_handler import KFP_VERSION, ContainerSpec, check_kfp_internals, kfp_local


@dsl.component(base_image="some/image:1", target_image="some/image:1")
def echo(text: str) -> str:
    return text


@dsl.pipeline(name="echoes")
def echoes(text: str = "hello"):
    first = echo(text=text)
    echo(text="second").after(first)


def test_kfp_is_the_version_whose_inside_we_know():
    assert version("kfp") == KFP_VERSION == "2.17.0"


def test_the_dispatcher_still_looks_the_attribute_up_at_every_task(tmp_path):
    orders: list[ContainerSpec] = []

    def execute(order: ContainerSpec) -> bool:
        orders.append(order)
        return len(orders) == 1

    with kfp_local(execute, root=tmp_path, log=io.StringIO()):
        echoes(text="hi")
    assert [order.image for order in orders] == ["some/image:1", "some/image:1"]
    assert orders[0].command[:3] == ("python3", "-m", "kfp.dsl.executor_main")
    assert orders[0].command[-2:] == ("--function_to_execute", "echo")


def test_a_failed_task_ends_the_pipeline(tmp_path):
    orders: list[ContainerSpec] = []

    def execute(order: ContainerSpec) -> bool:
        orders.append(order)
        return False

    with kfp_local(execute, root=tmp_path, log=io.StringIO()):
        echoes(text="hi")
    assert len(orders) == 1


def test_everything_is_as_before_afterwards(tmp_path):
    handler, configured = subprocess_task_handler.SubprocessTaskHandler, config.LocalExecutionConfig.instance
    with pytest.raises(ZeroDivisionError), kfp_local(lambda order: True, root=tmp_path, log=io.StringIO()):
        assert subprocess_task_handler.SubprocessTaskHandler is not handler
        raise ZeroDivisionError
    assert subprocess_task_handler.SubprocessTaskHandler is handler
    assert config.LocalExecutionConfig.instance is configured


def test_what_kfp_says_goes_to_the_log(tmp_path, capfd):
    log = io.StringIO()
    with kfp_local(lambda order: False, root=tmp_path, log=log):
        echoes(text="hi")
    assert capfd.readouterr() == ("", "")
    assert "Running pipeline" in log.getvalue()


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (task_handler.subprocess_task_handler, "SubprocessTaskHandler"),
        (task_handler.task_dispatcher, "subprocess_task_handler"),
        (task_handler.config.LocalExecutionConfig, "instance"),
    ],
)
def test_a_moved_attribute_is_named(monkeypatch, owner, name):
    monkeypatch.delattr(owner, name)
    with pytest.raises(DependencyError, match=name):
        check_kfp_internals()


def test_another_version_is_named(monkeypatch):
    monkeypatch.setattr("kfp.__version__", "2.18.0")
    with pytest.raises(DependencyError, match=r"2\.18\.0.*Install kfp==2\.17\.0"):
        check_kfp_internals()


def test_kfps_own_subprocess_runner_still_refuses_containerized_components(tmp_path):
    """The reason for all this; when it no longer holds, the task_handler can go."""
    before = config.LocalExecutionConfig.instance
    try:
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path))
        with pytest.raises(RuntimeError, match="Containerized Python Component"), pytest.warns(RuntimeWarning):
            echoes(text="hi")
    finally:
        config.LocalExecutionConfig.instance = before
