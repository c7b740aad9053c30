"""`vidcli doctor`: is everything here that vidcli needs, and what to type where it is not."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from importlib.resources import as_file, files
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli import settings
from vidcli.cli.options import JsonOption, QuietOption
from vidcli.cli.terminal import Notes, has_color, is_terminal, write_document, write_out
from vidcli.core.findings import Finding, Level
from vidcli.core.protocols import Progress
from vidcli.demo import BALL_AND_STAR
from vidcli.errors import ExitCode

if TYPE_CHECKING:
    from vidcli.health.examine import Check


def doctor(
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every model through and compare its digests.")
    ] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Ask the hub whether it is there.")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Look whether everything works that vidcli needs, and say what to do where it does not.

    Exit code 7 where something that must work does not. Opens no connection without --online.
    """
    from vidcli.health.examine import examine
    from vidcli.output.doctor import (
        doctor_document,
        draw_findings,
        finding_rows,
        say_verdict,
        worst_of,
    )
    from vidcli.output.plain import align
    from vidcli.output.progress import open_progress

    with open_progress(quiet=quiet) as progress:
        checks = list_checks(whole=verify, online=online, progress=progress)
        found = list(examine(checks))
    if json:
        write_document(doctor_document(found))
    elif is_terminal(sys.stdout):
        width = get_terminal_size().columns
        write_out(draw_findings(found, color=has_color(sys.stdout), width=width))
    else:
        write_out(align(finding_rows(found)))
    Notes(quiet=quiet).tell(say_verdict(found))
    if worst_of(found) is Level.PROBLEM:
        raise typer.Exit(ExitCode.SETUP)


def list_checks(*, whole: bool, online: bool, progress: Progress) -> "list[Check]":
    """Everything that is looked at, in order.

    Args:
        whole: Read models through.
        online: Ask the hub.
        progress: Of reading models.
    """
    from vidcli.health import machine, models, native, network, setup
    from vidcli.health import settings as kept
    from vidcli.health.examine import Check

    terminal = partial(
        setup.check_terminal,
        is_terminal=is_terminal(sys.stdout),
        has_color=has_color(sys.stdout),
        columns=get_terminal_size().columns,
    )
    checks = [
        Check("Python", setup.check_python),
        Check("packages", setup.check_packages),
        Check("extras", setup.check_extras),
        Check("settings", kept.check_settings),
        Check("terminal", terminal),
        Check("processor", machine.check_processor),
        Check("memory", machine.check_memory),
        Check("llama.cpp", native.check_engine),
        Check("FFmpeg", native.check_libav),
        Check("FFmpeg", native.check_program),
        Check("FFmpeg", _check_decoding),
        Check("OpenCV", native.check_opencv),
        Check("disk", _check_cache_dir),
        Check("disk", _check_data_dir),
        Check("disk", _check_state_dir),
        Check("disk", _check_hub_dir),
        Check("disk", _check_caches),
        Check("journal", _check_journal),
        Check("crashes", _check_crashes),
        Check("models", partial(models.check_models, whole=whole, progress=progress)),
        Check("models", models.check_choice),
        Check("tools", models.check_tool_files),
        Check("network", network.check_network),
    ]
    return [*checks, Check("network", network.check_hub)] if online else checks


def _check_decoding() -> Iterator[Finding]:
    from vidcli.health.native import check_decoding

    with ExitStack() as stack:
        clip = stack.enter_context(as_file(files("vidcli.demo").joinpath(BALL_AND_STAR)))
        yield from check_decoding(str(clip))


def _check_cache_dir() -> Iterator[Finding]:
    from vidcli.health.places import check_folder

    yield check_folder("caches", settings.cache_dir(), "VIDCLI_CACHE_DIR")


def _check_data_dir() -> Iterator[Finding]:
    from vidcli.health.places import check_folder

    yield check_folder("data", settings.data_dir(), "VIDCLI_DATA_DIR")


def _check_state_dir() -> Iterator[Finding]:
    from vidcli.health.places import check_folder

    yield check_folder("state", settings.state_dir(), "VIDCLI_STATE_DIR")


def _check_hub_dir() -> Iterator[Finding]:
    from vidcli.health.places import check_folder
    from vidcli.models.hub import cache_folder

    yield check_folder("downloads", cache_folder(), "HF_HOME")


def _check_caches() -> Iterator[Finding]:
    from vidcli.cli.cache import list_parts
    from vidcli.health.places import check_caches

    entries = {part.name: part.files.usage() for part in list_parts()}
    sizes = [
        (name, len(found), sum(entry.size_bytes for entry in found))
        for name, found in entries.items()
    ]
    yield from check_caches(sizes, max_bytes=settings.cache_size(), folder=settings.cache_dir())


def _check_journal() -> Iterator[Finding]:
    from vidcli.health.places import check_journal

    yield from check_journal(settings.state_dir())


def _check_crashes() -> Iterator[Finding]:
    from vidcli.health.places import check_crashes

    yield from check_crashes(settings.state_dir() / "crashes")
