"""Components and pipelines as definitions that compile settings turn into specs (compile time only).

A pipeline is a plain wiring function under ``@pipeline``. Nothing is built when its file is imported: ``build`` traces
the function under given settings, so that images and resources land in the spec, and components that are not pure
lose their cache in every pipeline without anybody having to remember it.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import docstring_parser
from kfp import dsl
from kfp.dsl.pipeline_context import Pipeline
from kfp.dsl.python_component import PythonComponent

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.declaration import (
    RUN_ID,
    RUN_ID_DESCRIPTION,
    Caching,
    Declaration,
    image_reference,
    interface,
)
from gauntlet.orchestration.graph import function_of
from gauntlet.orchestration.placement import CompileSettings, place

NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,127}$")
"""What the Kubeflow Pipelines API takes as the name of a pipeline."""


_declared: dict[str, Declaration] = {}


def declarations() -> Mapping[str, Declaration]:
    """Every component defined in this process, by function name."""
    return MappingProxyType(_declared)


class UncachedComponent(PythonComponent):  # type: ignore[misc]  # kfp is not typed
    """A component that acts or resolves: whichever pipeline takes it in, no cache answers for it."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Make a task of it, bound to its run and not cached."""
        task = super().__call__(*arguments, **{RUN_ID: dsl.PIPELINE_JOB_ID_PLACEHOLDER, **named})
        if Pipeline.get_default_pipeline() is not None:  # else it has run already, in this process
            task.set_caching_options(False)
        return task


def define_component(function: Callable[..., Any], *, image: str, caching: Caching) -> Any:
    """Make the KFP component of ``function`` and remember what was declared about it."""

    @functools.wraps(function)
    def declared(**arguments: Any) -> Any:
        return function(**arguments)

    declared.__signature__ = interface(function, caching)  # type: ignore[attr-defined]
    if not caching.cached:
        declared.__doc__ = _with_run_id(inspect.getdoc(function) or "")
    reference = image_reference(image)
    defined = dsl.component(base_image=reference, target_image=reference)(declared)
    _declared[function.__name__] = Declaration(function.__name__, image, caching, Path(function.__code__.co_filename))
    return defined if caching.cached else UncachedComponent(defined.component_spec, declared)


def _with_run_id(docstring: str) -> str:
    """The docstring with the run's identifier among its arguments."""
    line = f"    {RUN_ID}: {RUN_ID_DESCRIPTION}\n"
    before, heading, after = docstring.partition("Args:\n")
    return f"{before}{heading}{line}{after}" if heading else f"{docstring}\n\nArgs:\n{line}"


@dataclass(frozen=True)
class PipelineDefinition:
    """A pipeline that has not been built yet.

    Attributes:
        name: its name in the KFP API: lower case, digits and hyphens.
        function: the wiring; its docstring documents the pipeline and each parameter. What it returns is for pipelines
            that go on after it, and no output of the pipeline unless its annotation declares one.
        description: what the UI shows; the docstring's first paragraphs when empty.
        on_exit: makes the task that runs when all others have ended, however they did; takes the pipeline's parameters
            by name, those it needs.
    """

    name: str
    function: Callable[..., Any]
    description: str = ""
    on_exit: Callable[..., Any] | None = None

    def build(self, settings: CompileSettings | None = None) -> Any:
        """Trace the wiring under ``settings`` (all defaults when ``None``) into a KFP graph component."""
        settings = settings or CompileSettings()
        deadline = settings.deadline(self.name.replace("-", "_"))
        signature = inspect.signature(self.function)

        @functools.wraps(self.function)
        def traced(*arguments: Any, **named: Any) -> Any:
            given = signature.bind(*arguments, **named).arguments
            with self._ending(given):
                outputs = self.function(**given)
            for task in Pipeline.get_default_pipeline().tasks.values():
                if task.container_spec is not None:
                    _settle(task, settings)
            return None if signature.return_annotation is inspect.Signature.empty else outputs

        limits = dsl.PipelineConfig(active_deadline_seconds=deadline)
        return dsl.pipeline(name=self.name, description=self.description or None, pipeline_config=limits)(traced)

    def wire(self, given: Mapping[str, Any], **changed: Any) -> Any:
        """Trace its tasks, but for ``on_exit``, into the pipeline that is being traced.

        Args:
            given: the other pipeline's parameters; those of other names are left out.
            changed: values in place of them.

        Returns:
            What the wiring returns.

        Raises:
            ConfigurationError: a parameter is neither given nor changed.
        """
        taken = inspect.signature(self.function).parameters
        named = {name: value for name, value in given.items() if name in taken} | changed
        for name in taken:
            if name not in named:
                raise ConfigurationError(
                    f"is a parameter of {self.name}, which this pipeline contains, and not of its own",
                    field=name,
                    mend="Add it to the signature, or say which value it always has",
                )
        return self.function(**named)

    def _ending(self, given: Mapping[str, Any]) -> AbstractContextManager[Any]:
        if self.on_exit is None:
            return nullcontext()
        needed = inspect.signature(self.on_exit).parameters
        handler: AbstractContextManager[Any] = dsl.ExitHandler(self.on_exit(**{name: given[name] for name in needed}))
        return handler


def pipeline(
    *,
    name: str,
    description: str = "",
    on_exit: Callable[..., Any] | None = None,
    parameters_of: Sequence[PipelineDefinition] = (),
    without: Collection[str] = (),
) -> Callable[[Callable[..., Any]], PipelineDefinition]:
    """Declare a wiring function as a pipeline; see ``PipelineDefinition`` for the arguments not named here.

    Args:
        parameters_of: pipelines that this one contains. It then takes their parameters, with defaults and descriptions
            as the first that has one says, and hands them to its function by name.
        without: parameters of theirs that it does not take.

    Raises:
        ConfigurationError: the Kubeflow Pipelines API would refuse the name.
    """
    if not NAME.match(name):
        raise ConfigurationError(
            "is not a name for a pipeline", field="name", value=name, mend="Use lower case letters, digits and hyphens"
        )

    def decorate(function: Callable[..., Any]) -> PipelineDefinition:
        if parameters_of:
            _take_parameters(function, [part.function for part in parameters_of], without)
        return PipelineDefinition(name, function, description, on_exit)

    return decorate


def _take_parameters(
    function: Callable[..., Any], parts: Sequence[Callable[..., Any]], without: Collection[str]
) -> None:
    """Give a function, in place of ``**given``, the parameters of others and their descriptions."""
    taken: dict[str, inspect.Parameter] = {}
    described: dict[str, str] = {}
    for part in parts:
        texts = {entry.arg_name: entry.description or "" for entry in docstring_parser.parse(part.__doc__ or "").params}
        for name, parameter in inspect.signature(part).parameters.items():
            if name not in without and name not in taken:
                taken[name], described[name] = parameter, texts[name]
    required_first = sorted(taken.values(), key=lambda parameter: parameter.default is not inspect.Parameter.empty)
    lines = [f"    {parameter.name}: {described[parameter.name]}" for parameter in required_first]
    function.__doc__ = "\n".join([inspect.getdoc(function) or "", "", "Args:", *lines, ""])
    function.__signature__ = inspect.Signature(required_first)  # type: ignore[attr-defined]


def _settle(task: Any, settings: CompileSettings) -> None:
    """Give a task its image, its caching and its place."""
    container = task.container_spec
    name = function_of([*container.command, *container.args])
    declaration = _declared.get(name)
    if declaration is None or container.image != image_reference(declaration.image):
        raise ConfigurationError(
            "is not declared with @component, so its image and caching class are unknown",
            field=name or task.name,
            mend="Decorate it with gauntlet.orchestration.component.component",
        )
    task.set_container_image(settings.images.reference(declaration.image))
    task.set_caching_options(declaration.caching.cached)
    place(task, settings.of(name))
