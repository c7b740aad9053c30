"""The tools whose words `hybrid` tells a model: speech, on-screen text, actions."""

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from vidcli import settings
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.reading import KeptPieces, write_step
from vidcli.cli.speech import AUTO, NONE, WHISPER, find_speech
from vidcli.core.protocols import Progress
from vidcli.core.speech import Heard, SpeechKind, Transcript
from vidcli.core.time import Span
from vidcli.core.tool_text import Mode, ToolLine, ToolSection
from vidcli.errors import ModelError, SetupError, UsageError

if TYPE_CHECKING:
    from vidcli.methods.tool_sections import FindSection

SAYS_NOTHING = "{} leaves the mode transcript nothing to tell"
MOST_LOOKS = 256  # at the screen; a second apart in shorter videos
SOURCES = {
    SpeechKind.SIDECAR: "subtitles beside the video",
    SpeechKind.STREAM: "subtitles inside the video",
    SpeechKind.FILE: "subtitles that were named",
    SpeechKind.WHISPER: "speech recognition",
    SpeechKind.MODEL: "a model that hears",
}


def make_tools(bench: Bench, source: Footage) -> dict[str, Any]:
    """What `vidcli.methods.mixed` is handed as the tools of its work."""
    pieces = None if bench.tokens is None else KeptPieces(settings.state_dir(), source.fingerprint)
    return {
        "identity": bench.identity,
        "arranger": bench.arranger,
        "pieces": pieces,
        "choose": partial(choose_tools, source),
        "foresee": partial(foresee_said, source),
        "write_step": write_step,
    }


def choose_tools(source: Footage, options: Mapping[str, Any]) -> "tuple[FindSection, ...]":
    """What asks each tool, as the parameters `mode`, `speech` and `screen` want it.

    Raises:
        UsageError: A transcript is wanted, and nothing of what is said.
    """
    said = partial(find_said, source, _choose_speech(options))
    if Mode(str(options["mode"])).speaks_first:
        return (said,)
    return (
        partial(find_actions, source),
        said,
        partial(find_written, source, str(options["screen"])),
    )


def _choose_speech(options: Mapping[str, Any]) -> str:
    speech = str(options["speech"])
    if speech == NONE and Mode(str(options["mode"])).speaks_first:
        raise UsageError(SAYS_NOTHING.format("speech=none"), hint="--method hybrid:mode=embed")
    return speech


def find_actions(source: Footage, span: Span, progress: Progress | None) -> ToolSection:
    """What somebody does in a part of a video, in the closed words of a classifier of clips.

    Raises:
        EngineError: The classifier cannot be run.
    """
    from vidcli.cli.actions import Watching, watch
    from vidcli.core.onnx_header import OnnxRole
    from vidcli.models.tool_files import find_tool_file
    from vidcli.output.progress import NoProgress
    from vidcli.tools.actions import ActionNetwork

    found = find_tool_file(OnnxRole.ACTIONS)
    if found.path is None:
        return ToolSection("action", absent=found.reason)
    try:
        network = ActionNetwork(found.path)
    except ModelError as error:
        return ToolSection("action", absent=str(error))
    watching = Watching(start=span.start, end=span.end)
    seen = watch(network, source, watching, progress=progress or NoProgress())
    lines = tuple(ToolLine(action.label, action.span) for action in seen.actions)
    name = f"{found.name}, {len(network.labels)} labels"
    absent = "" if lines else "no label is likely enough"
    return ToolSection("action", name, lines, absent, seen.warnings)


def find_said(source: Footage, choice: str, span: Span, progress: Progress | None) -> ToolSection:
    """What is said in a part of a video: its subtitles, else its sound where it can be heard.

    Raises:
        ModelError: `whisper` was asked for, and there is no model.
        SetupError: The same, and the extra is not installed.
    """
    if choice == NONE:
        return ToolSection("speech", absent="speech was not wanted")
    heard = find_speech(source, choice, progress=progress)
    reason = "nobody speaks"
    if heard.transcript is None and choice == AUTO:
        heard, reason = _hear(source, heard, progress)
    transcript = heard.transcript
    if transcript is None:
        return ToolSection("speech", absent=reason, notes=heard.notes)
    return _as_section(transcript, span, heard.notes)


def _as_section(transcript: Transcript, span: Span, notes: tuple[str, ...]) -> ToolSection:
    lines = _inside(transcript, span)
    name = f"{SOURCES[transcript.kind]}: {transcript.name}"
    notes = (*notes, *transcript.notes)
    return ToolSection("speech", name, lines, "" if lines else "nobody speaks", notes)


def foresee_said(
    source: Footage, options: Mapping[str, Any], span: Span, progress: Progress | None
) -> ToolSection:
    """What is written down already of what is said; nothing is heard for it.

    Returns:
        Without lines, `absent` says what would be done.

    Raises:
        ModelError: `whisper` was asked for, and there is no model.
        SetupError: The same, and the extra is not installed.
        UsageError: A transcript is wanted, and nothing of what is said.
    """
    choice = _choose_speech(options)
    notes: tuple[str, ...] = ()
    if choice != WHISPER:
        heard = find_speech(source, choice, progress=progress)
        notes = heard.notes
        if heard.transcript is not None:
            return _as_section(heard.transcript, span, notes)
    if not source.info.audio:
        return ToolSection("speech", absent="there is no transcript: no sound", notes=notes)
    try:
        name = _name_listener()
    except (SetupError, ModelError) as error:
        if choice == WHISPER:
            raise
        absent = f"there is no transcript: no subtitles, and nothing to hear with: {error}"
        return ToolSection("speech", absent=absent, notes=notes)
    absent = f"what is said is heard by {name} first; neither its time nor its words are counted"
    return ToolSection("speech", absent=absent, notes=notes)


def _name_listener() -> str:
    from vidcli.cli.hearing import find_whisper
    from vidcli.tools.whisper import require_whisper

    require_whisper()
    return find_whisper(None).name


def _hear(source: Footage, heard: Heard, progress: Progress | None) -> tuple[Heard, str]:
    """Listen, where there is something to listen to and to listen with."""
    if not source.info.audio:
        return heard, "no subtitles and no sound"
    try:
        listened = find_speech(source, WHISPER, progress=progress)
    except (SetupError, ModelError) as error:
        return heard, f"no subtitles, and nothing to hear with: {error}"
    return Heard(listened.transcript, (*heard.notes, *listened.notes)), "nobody speaks"


def _inside(transcript: Transcript, span: Span) -> tuple[ToolLine, ...]:
    """Each cue of a part of the video; lines that rolling captions repeat count once."""
    cues = [
        cue for cue in transcript.cues if cue.span.start < span.end and cue.span.end > span.start
    ]
    lines = []
    for number, cue in enumerate(cues):
        before = cues[number - 1].text.split("\n")[-1] if number else ""
        fresh = [text for text in cue.text.split("\n") if text != before]
        if fresh:
            lines.append(ToolLine(" ".join(fresh), cue.span))
    return tuple(lines)


def find_written(
    source: Footage, choice: str, span: Span, progress: Progress | None
) -> ToolSection:
    """What is written in the picture in a part of a video; a reader that is missing says so."""
    if choice == NONE:
        return ToolSection("screen", absent="on-screen text was not wanted")
    from vidcli.cli.asking import describe
    from vidcli.methods.screen_text import Reading, read_screen
    from vidcli.models.hardware import count_free_cores
    from vidcli.tools.ocr import RapidTextReader

    try:
        reader = RapidTextReader(threads=count_free_cores())
    except SetupError as error:
        return ToolSection("screen", absent=str(error))
    step = max(Fraction(1), span.length / MOST_LOOKS)
    report = read_screen(source, describe(source), reader, Reading(span, step), progress=progress)
    lines = tuple(ToolLine(" ".join(text.text.split()), text.span) for text in report.texts)
    return ToolSection("screen", report.reader, lines, "" if lines else "nothing is written")
