"""The ``gauntlet`` command: parse, one library call, render, exit status."""

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
from gauntlet.errors import EXIT_BROKEN, GauntletError

EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gauntlet")
def gauntlet() -> None:
    """CI/CD for machine learning on Kubeflow Pipelines.

    Every command ends with 0 when all is well, 1 when a gate stopped a run (or a check found a difference), 2 when it
    was used wrongly, and 3 when something broke.
    """


for command in (run, serve, report, compile_command, diff):
    gauntlet.add_command(command)


def main() -> None:
    """Run the ``gauntlet`` command."""
    report_errors(gauntlet, "gauntlet")


def report_errors(command: click.Command, name: str | None = None) -> None:
    """Run a command; every error ends as one paragraph and an exit status.

    Args:
        command: what to run.
        name: what it is called in its help; by default as it was started.
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
        click.echo(error.line, err=True)
        status = error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        status = EXIT_BROKEN
    except Exception as error:  # the last resort: a defect of ours still ends as a sentence and a status
        with tempfile.NamedTemporaryFile("w", prefix="gauntlet-", suffix=".log", delete=False) as log:
            traceback.print_exc(file=log)
        click.echo(f"{type(error).__name__}: {error}. This is a defect; its trace is in {log.name}.", err=True)
        status = EXIT_BROKEN
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
