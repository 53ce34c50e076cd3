"""`accountability …`: the command line. Names the commands; each lives in `commands/`.

Exit status: 0 done, 1 the data or a check says no, 2 wrong usage. Every error is one line. Heavy imports stay inside
the command that needs them, so that --help answers at once.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import NoReturn

import typer

from orchestration.commands import assisting, delivering, doctoring, explaining, releasing, running, verifying
from orchestration.errors import InputError
from orchestration.processes import end_at_once

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Massachusetts school and district accountability, from raw records to categories.",
)
for command in (
    delivering.generate,
    delivering.pull,
    running.run,
    running.status,
    verifying.verify,
    explaining.explain,
    assisting.assist,
    doctoring.doctor,
):
    app.command()(command)
app.add_typer(releasing.app, name="release")


def main() -> NoReturn:
    """Entry point of the installed command: an InputError becomes one line and exit status 1."""
    progress = logging.StreamHandler(sys.stderr)
    rooms = logging.getLogger("orchestration")
    rooms.addHandler(progress)
    rooms.setLevel(logging.INFO)
    os.umask(0o077)  # what libraries write (Dagster's history, say) is for the owner only, like everything else
    end_at_once(_status())


def _status() -> int:
    """Run the command: its exit status."""
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; nothing half-written is in force", file=sys.stderr)
        return 130
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
