"""``gauntlet`` command: parses, makes one library call, renders, sets the exit status."""

from __future__ import annotations

import sys
import tempfile
import traceback

import click

from gauntlet import __version__
from gauntlet.cli.compile import compile_command, diff
from gauntlet.cli.report import report
from gauntlet.cli.run import run
from gauntlet.cli.serve import serve
from gauntlet.errors import EXIT_BROKEN, GauntletError, environment_error
from gauntlet.redaction import without_secrets

EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gauntlet")
def gauntlet() -> None:
    """CI/CD for machine learning on Kubeflow Pipelines.

    Exit status of every command: 0 success, 1 a gate stopped the run (or a check found a difference), 2 something
    wrong in the command, its parameters or the data, 3 an internal error or a failed dependency.
    """


for command in (run, serve, report, compile_command, diff):
    gauntlet.add_command(command)


def main() -> None:
    """Run the ``gauntlet`` command."""
    report_errors(gauntlet, "gauntlet")


def report_errors(command: click.Command, name: str | None = None) -> None:
    """Run a command; report every error as one paragraph and an exit status.

    Args:
        command: the command.
        name: its name in the help text; by default the name it was started with.
    """
    try:
        status = command.main(prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nInterrupted.", err=True)
        status = EXIT_INTERRUPTED
    except GauntletError as error:
        click.echo(without_secrets(error.line), err=True)
        status = error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        status = EXIT_BROKEN
    except Exception as error:
        outside = environment_error(error) if isinstance(error, OSError) else None
        click.echo(outside.line if outside else _defect(error), err=True)
        status = EXIT_BROKEN
    sys.exit(status if isinstance(status, int) else 0)


def _defect(error: Exception) -> str:
    """The last resort: a defect of ours is reported as a sentence as well."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix="gauntlet-", suffix=".log", delete=False) as log:
            traceback.print_exc(file=log)
        place = f"the traceback is in {log.name}"
    except OSError:
        traceback.print_exc()
        place = "the traceback is above"
    return f"{type(error).__name__}: {without_secrets(str(error))}. This is a defect of Gauntlet; {place}."


if __name__ == "__main__":
    main()
