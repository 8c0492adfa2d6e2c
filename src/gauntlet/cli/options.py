"""Options shared by several commands, as decorators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def project_option(command: Command) -> Command:
    """``--project``, passed to the command as ``project_folder``."""
    return click.option(
        "--project",
        "project_folder",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=None,
        help="Folder with components/, pipelines/ and containers/. By default the current folder or a parent of it.",
    )(command)


def runs_option(command: Command) -> Command:
    """``--run-dir``, passed to the command as ``runs``."""
    return click.option(
        "--run-dir",
        "runs",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("runs"),
        show_default=True,
        help="Folder that holds all runs.",
    )(command)


def settings_option(command: Command) -> Command:
    """``--settings``, passed to the command as ``settings``."""
    return click.option(
        "--settings",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=None,
        help="YAML file of compile settings; pipelines/settings.yaml by default, if there is one.",
    )(command)
