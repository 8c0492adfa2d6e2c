import pytest
from google.protobuf import json_format
from kfp import dsl

from gauntlet.orchestration.graph import function_of, tasks_of


@dsl.component(base_image="i", target_image="i")
def step(text: str = "") -> str:
    return text


def compiled(wiring):
    return json_format.MessageToDict(dsl.pipeline(name="p")(wiring).pipeline_spec)


def edges(spec) -> dict[str, tuple[str, ...]]:
    return {task.name: task.after for task in tasks_of(spec)}


def test_data_and_order_both_make_edges():
    def wiring():
        first = step()
        second = step(text=first.output)
        step().after(second)

    assert edges(compiled(wiring)) == {"step": (), "step-2": ("step",), "step-3": ("step-2",)}


def test_a_display_name_is_the_tasks_name_if_it_is_one():
    def wiring():
        step().set_display_name("fetch")
        step().set_display_name("no file name")
        step().set_display_name("twice")
        step().set_display_name("twice")
        step().set_display_name("step")

    names = {task.key: task.name for task in tasks_of(compiled(wiring))}
    assert names == {"step": "step", "step-2": "step-2", "step-3": "step-3", "step-4": "step-4", "step-5": "step-5"} | {
        "step": "fetch"
    }


def test_groups_are_laid_flat():
    def wiring():
        first = step()
        with dsl.If(first.output == "a"):
            inner = step().set_display_name("inner")
            step(text=inner.output).set_display_name("last-inside")
        with dsl.ParallelFor(["a", "b"]) as item:
            step(text=item).set_display_name("each")

    upstream = edges(compiled(wiring))
    assert upstream["inner"] == ("step",)
    assert upstream["last-inside"] == ("inner", "step")
    assert upstream["each"] == ()


def test_what_follows_a_group_waits_for_its_end():
    @dsl.pipeline(name="nested")
    def nested() -> str:
        first = step().set_display_name("nested-first")
        return step(text=first.output).set_display_name("nested-last").output

    def wiring():
        step(text=nested().output).set_display_name("after")

    upstream = edges(compiled(wiring))
    assert upstream["nested-last"] == ("nested-first",)
    assert upstream["after"] == ("nested-last",)


def test_each_task_comes_after_those_it_waits_for():
    def wiring():
        last = step()
        for _ in range(12):
            last = step(text=last.output)

    earlier: set[str] = set()
    for task in tasks_of(compiled(wiring)):
        assert earlier.issuperset(task.after)
        earlier.add(task.name)
    assert len(earlier) == 13


@pytest.mark.parametrize(
    ("command", "name"), [(["a", "--function_to_execute", "f"], "f"), (["sh", "-c", "x"], ""), ([], "")]
)
def test_the_function_of_a_command(command, name):
    assert function_of(command) == name
