"""`vidcli transcribe`: what is said in videos, with its times."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from vidcli import settings
from vidcli.cli.build import find_hearing, open_hearing
from vidcli.cli.groups import Loading, Looking, Rehearsing, Telling, takes_groups
from vidcli.cli.hearing import find_whisper, whisper_opener
from vidcli.cli.inputs import EVERY_INPUT, Choosing, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import (
    MODEL,
    DryRunOption,
    FromOption,
    OfflineOption,
    ToOption,
    VideosArgument,
    kept,
)
from vidcli.cli.running import run_task
from vidcli.cli.terminal import OutputError
from vidcli.cli.transcribing import By, TranscribeTask
from vidcli.core.model import ModelFiles
from vidcli.core.protocols import Transcriber
from vidcli.core.speech import Listening
from vidcli.errors import ModelError, UsageError

HEARING = "Hearing"


@takes_groups
def transcribe(
    videos: VideosArgument,
    choosing: Choosing,
    telling: Telling,
    keeping: Keeping,
    by: Annotated[
        By,
        typer.Option(
            "--by",
            help="Where words come from; auto takes subtitles beside the video, then inside it, "
            "then hears it with Whisper; model hears it with --model.",
            rich_help_panel=HEARING,
        ),
    ] = By.AUTO,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="TAG",
            help="What is spoken, such as en or de.",
            show_default="found out",
            rich_help_panel=HEARING,
        ),
    ] = None,
    words: Annotated[
        bool,
        typer.Option(
            "--words", help="Give every word its own times, in JSON.", rich_help_panel=HEARING
        ),
    ] = False,
    whisper: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE|DIR",
            help="Whisper model: tiny, base, small, medium, large-v3, or a folder that holds one.",
            show_default="the largest installed one",
            rich_help_panel=HEARING,
        ),
    ] = None,
    model: Annotated[str | None, kept("model", "--model", panel=MODEL)] = None,
    mmproj: Annotated[Path | None, kept("mmproj", "--mmproj", panel=MODEL)] = None,
    max_tokens: Annotated[int, kept("max_tokens", "--max-tokens", panel=MODEL)] = (
        settings.MAX_TOKENS
    ),
    start: FromOption = None,
    end: ToOption = None,
    threads: Annotated[int, kept("threads", "--threads", panel=MODEL)] = 0,
    offline: OfflineOption = False,
    dry_run: DryRunOption = False,
    no_cache: Annotated[
        bool,
        typer.Option(
            "--no-cache", help="Neither read nor write what was heard.", rich_help_panel=MODEL
        ),
    ] = False,
) -> None:
    """Write down what is said in each video, and when.

    Subtitles are read where there are any. Sound is heard with Whisper, which needs the extra
    'speech' and a model ('vidcli models pull whisper-base'), or with a GGUF model that hears. A
    file of sound alone will do, and a video without audio is no error.
    """
    if by in (By.SIDECAR, By.EMBEDDED, By.MODEL) and (whisper is not None or words):
        option = "--whisper" if whisper is not None else "--words"
        raise UsageError(f"{option} does not go with --by {by}", hint="leave one of them out")
    inputs = gather(videos, choosing, sound_too=True)
    with ExitStack() as stack:
        listener, open_transcriber = "", whisper_opener(whisper, threads=threads)
        if by is By.MODEL:
            loading = Loading(model=model, mmproj=mmproj, threads=threads, offline=offline)
            files = find_hearing(loading, notes=telling.notes)
            listener = f"{files.weights_sha256} {files.mmproj_sha256} {max_tokens}"
            open_transcriber = _model_opener(loading, files, stack, max_tokens=max_tokens)
        elif by in (By.AUTO, By.WHISPER):
            listener = _name_listener(whisper)
        task = TranscribeTask(
            name="transcribe",
            looking=Looking(start=start, end=end),
            by=by,
            listening=Listening(language.lower() if language else None, words),
            listener=listener,
            open_transcriber=open_transcriber,
            telling=telling,
            is_anew=keeping.overwrite,
            keeps=not no_cache,
            # Others may have subtitles, which need nothing to hear with.
            fails_all=(OutputError,) if by is By.AUTO else EVERY_INPUT,
        )
        run_task(inputs, task, Loading(), telling, Rehearsing(dry_run=dry_run), keeping)


def _model_opener(
    loading: Loading, files: ModelFiles, stack: ExitStack, *, max_tokens: int
) -> Callable[[], Transcriber]:
    """What loads a model that hears, once, until `stack` is closed."""

    @cache
    def open_transcriber() -> Transcriber:
        from vidcli.methods.model_listener import ModelTranscriber

        session = stack.enter_context(open_hearing(loading, files))
        return ModelTranscriber(session, max_tokens=max_tokens)

    return open_transcriber


def _name_listener(whisper: str | None) -> str:
    """Which model would hear; empty where there is none, which is no error while none is needed."""
    try:
        return find_whisper(whisper).name
    except ModelError:
        if whisper is not None:
            raise
        return ""
