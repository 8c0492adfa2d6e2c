"""Definitions of components and pipelines, which compile settings turn into specs (compile time only).

A pipeline is a plain wiring function under ``@pipeline``. Importing its file builds nothing: ``build`` traces the
function under compile settings, which puts images and resources into the spec and disables caching for every task whose
component is not pure.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
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
"""Pipeline names that the Kubeflow Pipelines API accepts."""


_declarations: dict[str, Declaration] = {}


def declarations() -> Mapping[str, Declaration]:
    """Components defined in this process, by function name."""
    return MappingProxyType(_declarations)


class UncachedComponent(PythonComponent):  # type: ignore[misc]  # kfp is not typed
    """Component that acts or resolves: its tasks are never cached, in any pipeline."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Create a task that is bound to its run and not cached."""
        task = super().__call__(*arguments, **{RUN_ID: dsl.PIPELINE_JOB_ID_PLACEHOLDER, **named})
        if Pipeline.get_default_pipeline() is not None:  # else kfp.local has already executed it
            task.set_caching_options(False)
        return task


def define_component(function: Callable[..., Any], *, image: str, caching: Caching) -> Any:
    """Make the KFP component of ``function`` and register its declaration."""

    @functools.wraps(function)
    def declared(**arguments: Any) -> Any:
        return function(**arguments)

    declared.__signature__ = interface(function, caching)  # type: ignore[attr-defined]
    if not caching.cached:
        declared.__doc__ = _with_run_id(inspect.getdoc(function) or "")
    reference = image_reference(image)
    defined = dsl.component(base_image=reference, target_image=reference)(declared)
    _describe_outputs(defined.component_spec, inspect.getdoc(function) or "")
    _declarations[function.__name__] = Declaration(
        function.__name__, image, caching, Path(function.__code__.co_filename)
    )
    return defined if caching.cached else UncachedComponent(defined.component_spec, declared)


def _describe_outputs(spec: Any, docstring: str) -> None:
    """Describe outputs by the docstring: artifacts by its ``Args``, the value by its ``Returns``. kfp reads neither."""
    parsed = docstring_parser.parse(docstring)
    texts = {entry.arg_name: entry.description for entry in parsed.params}
    returned = parsed.returns.description if parsed.returns else None
    for name, output in (spec.outputs or {}).items():
        output.description = texts.get(name) or returned


def _with_run_id(docstring: str) -> str:
    """Add the run's identifier to the arguments in a docstring."""
    line = f"    {RUN_ID}: {RUN_ID_DESCRIPTION}\n"
    before, heading, after = docstring.partition("Args:\n")
    return f"{before}{heading}{line}{after}" if heading else f"{docstring}\n\nArgs:\n{line}"


@dataclass(frozen=True)
class PipelineDefinition:
    """Pipeline that has not been built yet.

    Attributes:
        name: its name in the KFP API: lower case, digits and hyphens.
        function: the wiring; its docstring documents the pipeline and each parameter. Its return value is for pipelines
            that contain this one, and an output of the pipeline only if its annotation declares one.
        description: text in the UI; the docstring's first paragraphs when empty.
        on_exit: creates the exit task, which runs after all others whether they succeeded or failed; takes those of the
            pipeline's parameters that it names.
        fixed: values of parameters that are no inputs of the pipeline (``baked``). The wiring sees them as they are, so
            that it may leave out what an empty one does not need.
    """

    name: str
    function: Callable[..., Any]
    description: str = ""
    on_exit: Callable[..., Any] | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def build(self, settings: CompileSettings | None = None) -> Any:
        """Trace the wiring under ``settings`` (all defaults when ``None``) into a KFP graph component."""
        settings = settings or CompileSettings()
        deadline = settings.deadline(self.stem)
        signature = inspect.signature(self.function)
        inputs = [parameter for parameter in signature.parameters.values() if parameter.name not in self.fixed]

        @functools.wraps(self.function)
        def traced(*arguments: Any, **named: Any) -> Any:
            bound = {**self.fixed, **open_to.bind(*arguments, **named).arguments}
            with self._exit_handler(bound):
                outputs = self.function(**bound)
            for task in Pipeline.get_default_pipeline().tasks.values():
                if task.container_spec is not None:
                    _configure_task(task, settings)
            return None if signature.return_annotation is inspect.Signature.empty else outputs

        open_to = signature.replace(parameters=inputs)
        traced.__signature__ = open_to  # type: ignore[attr-defined]
        limits = dsl.PipelineConfig(active_deadline_seconds=deadline)
        return dsl.pipeline(name=self.name, description=self.description or None, pipeline_config=limits)(traced)

    @property
    def stem(self) -> str:
        """Name of the file that defines it."""
        return self.function.__module__.rpartition(".")[2]

    def baked(
        self, name: str, given: Mapping[str, Any], ask: Sequence[str], description: str = ""
    ) -> PipelineDefinition:
        """The same pipeline with fewer inputs: those that are asked for; all others have a value once and for all.

        Args:
            name: of the new pipeline.
            given: values of parameters, instead of their defaults.
            ask: the parameters that stay inputs.
            description: of the new pipeline; by default that of this one.

        Raises:
            ConfigurationError: a parameter does not exist, is given and asked for, or is neither and has no default.
        """
        parameters = inspect.signature(self.function).parameters
        for key, names in (("parameters", given), ("ask", ask)):
            for unknown in (one for one in names if one not in parameters):
                close = get_close_matches(unknown, parameters, n=1)
                mend = f"Did you mean {close[0]!r}?" if close else f"Its parameters are: {', '.join(parameters)}"
                raise ConfigurationError(f"{self.name} has no such parameter", field=key, value=unknown, mend=mend)
        for both in (one for one in ask if one in given):
            raise ConfigurationError(
                "is given a value and asked for",
                field="ask",
                value=both,
                mend=f"Take {both} out of ask, or its value out of parameters",
            )
        fixed = {one.name: given.get(one.name, one.default) for one in parameters.values() if one.name not in ask}
        for missing in (one for one, value in fixed.items() if value is inspect.Parameter.empty):
            raise ConfigurationError(
                f"{self.name} needs it", field=f"parameters.{missing}", mend=f"Give it a value, or add {missing} to ask"
            )
        return replace(self, name=name, fixed=fixed, description=description or self.description)

    def wire(self, arguments: Mapping[str, Any], **overrides: Any) -> Any:
        """Trace its tasks, except ``on_exit``, into the pipeline being traced.

        Args:
            arguments: the containing pipeline's parameters; those this pipeline does not have are left out.
            overrides: values that replace them.

        Returns:
            The wiring's return value.

        Raises:
            ConfigurationError: a parameter has neither an argument nor an override.
        """
        parameters = inspect.signature(self.function).parameters
        values = {name: value for name, value in arguments.items() if name in parameters} | overrides
        for name in parameters:
            if name not in values:
                raise ConfigurationError(
                    f"is a parameter of {self.name}, which this pipeline contains, but not of this pipeline",
                    field=name,
                    mend="Add it to the signature, or pass a fixed value to wire()",
                )
        return self.function(**values)

    def _exit_handler(self, arguments: Mapping[str, Any]) -> AbstractContextManager[Any]:
        if self.on_exit is None:
            return nullcontext()
        needed = inspect.signature(self.on_exit).parameters
        exit_task = self.on_exit(**{name: arguments[name] for name in needed})
        handler: AbstractContextManager[Any] = dsl.ExitHandler(exit_task)
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
        parameters_of: pipelines that this one contains. Their parameters become its own and are passed to its function
            by name; default and description come from the first pipeline that has the parameter.
        without: parameters of those pipelines to leave out.

    Raises:
        ConfigurationError: the Kubeflow Pipelines API does not accept the name.
    """
    if not NAME.match(name):
        raise ConfigurationError(
            "is not a valid pipeline name", field="name", value=name, mend="Use lower case letters, digits and hyphens"
        )

    def decorate(function: Callable[..., Any]) -> PipelineDefinition:
        if parameters_of:
            _merge_parameters(function, [definition.function for definition in parameters_of], without)
        return PipelineDefinition(name, function, description, on_exit)

    return decorate


def _merge_parameters(
    function: Callable[..., Any], wirings: Sequence[Callable[..., Any]], without: Collection[str]
) -> None:
    """Replace a function's ``**keywords`` with the parameters, and their descriptions, of other functions."""
    parameters: dict[str, inspect.Parameter] = {}
    descriptions: dict[str, str] = {}
    for wiring in wirings:
        documented = docstring_parser.parse(wiring.__doc__ or "").params
        texts = {entry.arg_name: entry.description or "" for entry in documented}
        for name, parameter in inspect.signature(wiring).parameters.items():
            if name not in without and name not in parameters:
                parameters[name], descriptions[name] = parameter, texts[name]
    required_first = sorted(parameters.values(), key=lambda parameter: parameter.default is not inspect.Parameter.empty)
    lines = [f"    {parameter.name}: {descriptions[parameter.name]}" for parameter in required_first]
    function.__doc__ = "\n".join([inspect.getdoc(function) or "", "", "Args:", *lines, ""])
    function.__signature__ = inspect.Signature(required_first)  # type: ignore[attr-defined]


def _configure_task(task: Any, settings: CompileSettings) -> None:
    """Set a task's image, caching option and placement."""
    container = task.container_spec
    name = function_of([*container.command, *container.args])
    declaration = _declarations.get(name)
    if declaration is None or container.image != image_reference(declaration.image):
        raise ConfigurationError(
            "is not declared with @component, so its image and caching class are unknown",
            field=name or task.name,
            mend="Decorate it with gauntlet.orchestration.component.component",
        )
    task.set_container_image(settings.images.reference(declaration.image))
    task.set_caching_options(declaration.caching.cached)
    place(task, settings.of(name))
