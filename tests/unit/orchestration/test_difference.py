from __future__ import annotations

from gauntlet.orchestration.compiler import compile_pipeline, documents
from gauntlet.orchestration.difference import Change, changes
from gauntlet.orchestration.placement import CompileSettings
from gauntlet.settings import parse


def compiled(toy, values=None):
    settings = parse(CompileSettings, values, field="settings")
    return documents(compile_pipeline(toy.project, "words", settings).text)


def test_the_same_spec_has_no_changes(toy):
    assert changes(compiled(toy), compiled(toy)) == []


def test_a_parameters_default(toy):
    before = compiled(toy)
    toy.edit("pipelines/words.py", 'text: str = "word"', 'text: str = "other"')
    assert [str(change) for change in changes(before, compiled(toy))] == [
        'parameter text: defaultValue "word" → "other"'
    ]


def test_a_new_task_is_one_line_not_thirty(toy):
    before = compiled(toy)
    toy.edit(
        "pipelines/words.py",
        "    counted = ",
        "    make_words(text='x', count=2).set_display_name('x')\n    counted = ",
    )
    listed = {str(change) for change in changes(before, compiled(toy))}
    assert listed == {"task make-words-3: added", "component make-words-3: added", "container of make-words-3: added"}
    back = {str(change) for change in changes(compiled(toy), before)}
    assert back == {line.replace("added", "removed") for line in listed}


def test_settings_show_where_they_land(toy):
    values = {"components": {"finish": {"memory": "1Gi", "node_selector": {"pool": "a"}}}}
    listed = {str(change) for change in changes(compiled(toy), compiled(toy, values))}
    assert 'container of finish: container.resources.resourceMemoryLimit is now "1Gi"' in listed
    assert "pod of finish: added" in listed


def test_nothing_committed_means_that_everything_is_new(toy):
    assert Change("task finish", after="present") in changes({}, compiled(toy))
