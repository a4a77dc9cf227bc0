"""The ``felicity`` command: runs one of the commands, and prints each Felicity error as one sentence."""

from __future__ import annotations

import errno
import io
import sys
from typing import Annotated

import typer

from felicity import __version__
from felicity.cli import console, found, usage
from felicity.errors import FelicityError

app = typer.Typer(
    name="felicity",
    cls=found.Group,
    help="Find faces, classify their expressions, and compute a happiness index per place. Felicity keeps no face.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"felicity {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command line; print an error as one sentence on stderr, with exit code 1, or 2 for wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name may not be valid text; its bytes are then escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(app(prog_name="felicity", standalone_mode=False) or 0)
    except usage.UsageError as error:
        if type(error).__name__ != "NoArgsIsHelpError":  # Click has shown the help already
            console.fail(usage.explain(error))
        sys.exit(2)
    except typer.Abort:
        sys.exit(1)
    except FelicityError as error:
        for note in getattr(error, "__notes__", ()):
            console.warn(note)
        console.fail(str(error))
        sys.exit(1)
    except BrokenPipeError:
        # The reader of the output has gone; nobody is left to tell.
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        console.fail(f"nothing more can be written ({error.strerror}); make room, or choose another place")
        sys.exit(1)
