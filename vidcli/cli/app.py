"""The `vidcli` command: its root, the one place that turns errors into exit codes, and `main`."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from vidcli import __version__
from vidcli.cli import cache, config, crash, kept, models, terminal, train
from vidcli.cli.actions import actions
from vidcli.cli.agent import agent
from vidcli.cli.ask import ask
from vidcli.cli.bench import bench
from vidcli.cli.caption import caption
from vidcli.cli.chapters import chapters
from vidcli.cli.chat import chat
from vidcli.cli.check import check
from vidcli.cli.classify import classify
from vidcli.cli.demo import demo
from vidcli.cli.dense import dense
from vidcli.cli.detect import detect
from vidcli.cli.doctor import doctor
from vidcli.cli.eval import eval
from vidcli.cli.find import find
from vidcli.cli.frames import frames
from vidcli.cli.highlights import highlights
from vidcli.cli.info import info
from vidcli.cli.instruct import instruct
from vidcli.cli.methods import methods
from vidcli.cli.narrate import narrate
from vidcli.cli.read import read
from vidcli.cli.schema import schema
from vidcli.cli.search import search
from vidcli.cli.shots import shots
from vidcli.cli.summarize import summarize
from vidcli.cli.synth import synth
from vidcli.cli.transcribe import transcribe
from vidcli.cli.watch import watch
from vidcli.errors import ExitCode, ResourceError, VidcliError

UPKEEP = "Upkeep"
TRAINING = "Training"


@contextmanager
def _rich_on_terminals(command: TyperGroup | TyperCommand) -> Iterator[None]:
    """Let help be drawn in panels where a person looks at it; plain help costs no rich import."""
    command.rich_markup_mode = "rich" if terminal.has_color(sys.stdout) else None
    try:
        yield
    finally:
        command.rich_markup_mode = None


class Command(TyperCommand):
    """A command that takes what a person settled for good where no flag says otherwise.

    Its help is drawn in panels on a terminal only, and shows the defaults of vidcli itself.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        if ctx.resilient_parsing:  # completion
            return super().parse_args(ctx, args)
        ctx.default_map = kept.KeptDefaults(self.params)
        rest = super().parse_args(ctx, args)
        kept.settle(ctx, self.params)
        return rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page."""
        ctx.default_map = None
        with _rich_on_terminals(self):
            super().format_help(ctx, formatter)


class Group(TyperGroup):
    """A group of commands whose help is drawn in panels on a terminal only."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page."""
        with _rich_on_terminals(self):
            super().format_help(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands of a plain help page, grouped as the panels are."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                title = getattr(command, "rich_help_panel", None) or "Commands"
                panels.setdefault(title, []).append((name, command.get_short_help_str(60)))
        width = max((len(name) for rows in panels.values() for name, _ in rows), default=0)
        for title, rows in panels.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows])


class ErrorBoundary(Group):
    """The root: every expected failure becomes a message on stderr and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command.

        Raises:
            typer.Exit: With the code of the error; the message is written.
            RuntimeError: In place of an `EOFError` or a broken pipe that is not standard output's:
                Typer would take either for the user's doing and exit 1, which here means "no".
        """
        try:
            return super().invoke(ctx)
        except VidcliError as error:
            if _is_debugging():
                traceback.print_exception(error)
            terminal.report_error(str(error), error.hint)
            raise typer.Exit(error.exit_code) from error
        except MemoryError as error:
            failure = ResourceError("out of memory")
            terminal.report_error(str(failure), "--frames with a smaller number needs less memory")
            raise typer.Exit(failure.exit_code) from error
        except terminal.ReaderGoneError as error:
            raise typer.Exit(ExitCode.OK) from error
        except KeyboardInterrupt as error:
            terminal.report_interrupt()
            raise typer.Exit(ExitCode.INTERRUPTED) from error
        except (EOFError, BrokenPipeError) as error:
            raise RuntimeError(f"{type(error).__name__}: {error}") from error


def _is_debugging() -> bool:
    return bool(os.environ.get("VIDCLI_DEBUG"))


app = typer.Typer(
    cls=ErrorBoundary,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        terminal.write_out(f"vidcli {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Ask questions of the videos on your own computer.

    One process, no server, no cloud. Files never leave the machine.

    What has a variable in a command's help can be settled for good: 'vidcli config set KEY VALUE'.
    """


caches = typer.Typer(
    cls=Group, no_args_is_help=True, rich_markup_mode=None, help="What is kept on disk for reuse."
)
models_app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Get models, and see which are there.",
)
config_app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What is settled for good, and where each value comes from.",
)
data_app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make data to train on.",
)
DATA: tuple[Callable[..., None], ...] = (synth, narrate, instruct)
train_app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Teach a model with your own videos.",
)
PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Answers": (
        ask,
        caption,
        dense,
        summarize,
        chapters,
        highlights,
        find,
        search,
        check,
        classify,
        chat,
        agent,
        watch,
    ),
    "Evidence": (info, frames, shots, transcribe, read, detect, actions),
    TRAINING: (eval,),
    UPKEEP: (methods, doctor, schema, bench, demo),
}
for _function in (cache.show, cache.prune, cache.clear):
    caches.command(cls=Command)(_function)
for _name, _command in models.COMMANDS.items():
    models_app.command(_name, cls=Command)(_command)
for _name, _command in config.COMMANDS.items():
    config_app.command(_name, cls=Command)(_command)
for _function in DATA:
    data_app.command(cls=Command)(_function)
for _panel, _functions in PANELS.items():
    for _function in _functions:
        app.command(cls=Command, rich_help_panel=_panel)(_function)
app.add_typer(data_app, name="data", rich_help_panel=TRAINING)
for _name, _command in train.COMMANDS.items():
    train_app.command(_name, cls=Command)(_command)
app.add_typer(train_app, name="train", rich_help_panel=TRAINING)
app.add_typer(models_app, name="models", rich_help_panel=UPKEEP)
app.add_typer(config_app, name="config", rich_help_panel=UPKEEP)
app.add_typer(caches, name="cache", rich_help_panel=UPKEEP)


def main() -> NoReturn:
    """Run the command line and exit; the entry point of the `vidcli` script."""
    terminal.prepare_streams()
    signal.signal(signal.SIGTERM, _terminate)
    if "_VIDCLI_COMPLETE" in os.environ:
        # Typer would import rich to strip markup that our help does not have: 100 ms a key press.
        sys.modules["rich"] = None  # type: ignore[assignment]
    sys.exit(_flush(_run()))


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave through `finally` blocks, so that child processes and temporary files go too."""
    sys.exit(128 + number)


def _run() -> int:
    """Run the command and return its exit code; a bug of ours becomes 70 and a kept report."""
    try:
        app(prog_name="vidcli")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except KeyboardInterrupt:
        terminal.report_interrupt()
        return ExitCode.INTERRUPTED
    except terminal.ReaderGoneError:
        return ExitCode.OK
    except VidcliError as error:  # raised while options were read, before the boundary
        terminal.report_error(str(error), error.hint)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 the last resort: whatever it is, it is our bug
        return _report_bug(error)
    return ExitCode.OK


def _report_bug(error: Exception) -> int:
    report = crash.keep_report(error)
    if report is None or _is_debugging():
        traceback.print_exception(error)
    kept = f"; the report is in {report}" if report else ""
    terminal.report_error(f"a bug in vidcli: {type(error).__name__}: {error}{kept}")
    return ExitCode.BUG


def _flush(code: int) -> int:
    """Write out what is buffered; a full disk must not pass for success."""
    try:
        terminal.write_out("")
    except terminal.ReaderGoneError:
        return code
    except ResourceError as error:
        terminal.report_error(str(error))
        return code or error.exit_code
    return code
