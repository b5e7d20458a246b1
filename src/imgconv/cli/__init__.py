"""The command line: parses, calls one function of `ops`, renders, exits.

`main` alone turns errors into exit codes. Each command is one light module;
it imports the library inside its body.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from imgconv.core.printable import printable
from imgconv.errors import ImgconvError, OutputError, UsageError
from imgconv.exitcodes import ExitCode

if TYPE_CHECKING:
    import typer

__all__ = ["COMMANDS", "main"]

# Command -> "module:function"; a function's docstring is its help.
COMMANDS = {
    "convert": "imgconv.cli.convert:convert",
    "inspect": "imgconv.cli.inspect:inspect",
    "standardize": "imgconv.cli.standardize:standardize",
    "transcode": "imgconv.cli.transcode:transcode",
    "validate": "imgconv.cli.validate:validate",
    "rules": "imgconv.cli.rules:rules",
    "profile": "imgconv.cli.profile:profile",
    "formats": "imgconv.cli.formats:formats",
    "transfer-syntaxes": "imgconv.cli.transfer_syntaxes:transfer_syntaxes",
}

_COMPLETE = "_IMGCONV_COMPLETE"  # the name that typer gives it
# Why a stream cannot be written: disk full, quota, size limit, device error.
_NOT_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_EPILOG = "Exit codes: 0 done, 1 findings, 2 usage, 3 some inputs failed, 4 none done, 5 output."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments
        The words after the program's name; `sys.argv` if None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    _open_missing_streams()
    # numpy's BLAS starts a thread per core when it is imported, 50 ms, for work that we have not.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if words[:1] == ["--version"]:
        from imgconv import __version__

        sys.stdout.write(f"imgconv {__version__}\n")
        return ExitCode.DONE
    try:
        from imgconv.core.interrupts import terminate_like_interrupt

        with terminate_like_interrupt():
            code = _run(words)
            if arguments is None:
                gc.freeze()  # the process ends: searching it for garbage would take 20 ms
            return code
    except ImgconvError as error:
        _tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _silence(sys.stdout)
        return ExitCode.BROKEN_PIPE
    except MemoryError:
        sys.stderr.write("error: there is not enough memory\n")
        return ExitCode.NONE_DONE
    except Exception as error:  # noqa: BLE001  the last door: a bug of ours must not print patient data
        return _end_unforeseen(error)
    finally:
        # An interrupt within exec(), by which dataclasses are made, has CPython kill the process
        # by SIGINT at its end, though it was caught; the next exec() forgets it.
        exec("")  # noqa: S102  nothing


def _open_missing_streams() -> None:
    """Give stdout and stderr a place if the caller closed them: Python has None there."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  until the end
            setattr(sys, name, stream)


def _run(words: list[str]) -> int:
    import typer

    # Only the command that is asked for is imported.
    wanted = {words[0]: COMMANDS[words[0]]} if words and words[0] in COMMANDS else COMMANDS
    completing = _COMPLETE in os.environ  # what the shell's script asks
    app = _build(wanted, only_names=words in ([], ["--help"]) and not completing)
    command = typer.main.get_command(app)
    try:
        result: Any = command.main(words, prog_name="imgconv", standalone_mode=False)
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # which typer makes an exit with 1
            raise error.__context__ from None
        raise
    except typer.TyperException as error:
        if not words:  # the message is the help
            sys.stderr.write(f"{error.format_message()}\n")
            return ExitCode.USAGE
        raise UsageError(
            " ".join(error.format_message().split()), hint=_help_of(words[0])
        ) from None
    sys.stdout.flush()
    return result if isinstance(result, int) else ExitCode.DONE


def _help_of(word: str) -> str:
    return f"see `imgconv {word} --help`" if word in COMMANDS else "see `imgconv --help`"


def _build(commands: dict[str, str], *, only_names: bool = False) -> typer.Typer:
    """Return the application; `only_names` spares the options, a third of the time of `--help`."""
    import typer

    from imgconv.cli.help import GroupedCommand, epilog_of

    app = typer.Typer(
        name="imgconv",
        help="Convert, standardize, validate and transcode medical images.",
        epilog=_EPILOG,
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,  # its tracebacks can print patient data
        rich_markup_mode=None,
    )

    @app.callback()
    def _options(
        version: bool = typer.Option(False, "--version", help="Print the version and exit."),
    ) -> None:
        pass

    for name, reference in commands.items():
        module, _, function = reference.partition(":")
        command = getattr(import_module(module), function)
        if only_names:
            app.command(name)(_heading(command))
        else:
            app.command(name, cls=GroupedCommand, epilog=epilog_of(name))(command)
    return app


def _heading(command: Callable[..., Any]) -> Callable[[], None]:
    """Return a command without options that has the same help."""

    def heading() -> None:
        pass

    heading.__doc__ = command.__doc__
    return heading


def _tell(error: ImgconvError) -> None:
    """Print one line with the error, and one with the way out if there is one."""
    try:
        sys.stderr.write(f"error: {printable(str(error))}\n")
        if error.hint:
            sys.stderr.write(f"hint: {printable(error.hint)}\n")
        sys.stderr.flush()
    except OSError:  # stderr itself cannot be written; the exit code tells
        _silence(sys.stderr)


def _end_unforeseen(error: Exception) -> ExitCode:
    # A name that no system can have may be in any option; the first that looks at it meets this.
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        _tell(UsageError("the name is too long", path=str(error.filename or "")))
        return ExitCode.USAGE
    if isinstance(error, OSError) and error.filename is None and error.errno in _NOT_WRITTEN:
        # Outputs are told by their names: this is stdout or stderr.
        _tell(OutputError(f"the report cannot be written: {os.strerror(error.errno)}"))
        _silence(sys.stdout)
        return ExitCode.OUTPUT
    _tell_bug(error)
    return ExitCode.INTERNAL


def _tell_bug(error: Exception) -> None:
    """Print where a bug is, without the exception's text: it may quote the data."""
    import traceback

    if os.environ.get("IMGCONV_DEBUG"):
        traceback.print_exc()
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "imgconv" in frame.filename] or frames
    place = f"{ours[-1].name}:{ours[-1].lineno}" if ours else "unknown"
    sys.stderr.write(f"error: internal error `{type(error).__name__}` at {place}\n")
    sys.stderr.write("hint: set IMGCONV_DEBUG=1 for the traceback, which may show patient data\n")


def _silence(stream: TextIO) -> None:
    """Point a stream to nothing, so that the interpreter's last flush does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
