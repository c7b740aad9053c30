"""What an agent's tools have to work with on this machine and of this video."""

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from vidcli.cli.agent_networks import OBJECTS, Networks, explain_networks
from vidcli.cli.asking import describe
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Looking
from vidcli.cli.speech import AUTO, find_speech
from vidcli.core.agent import Call, ToolReport, TracedPrompt
from vidcli.core.protocols import Progress, TextReader
from vidcli.core.speech import Heard
from vidcli.core.time import Span
from vidcli.errors import SetupError

if TYPE_CHECKING:
    from vidcli.core.screen import ScreenReport
    from vidcli.methods.agent.offer import Senses

ANY_VIDEO = "goes by the video: name one"
READING_STEP = Fraction(1)  # seconds from one look for text to the next
STILL = "a single picture has no cuts"


def find_tools(
    source: Footage | None,
    looking: Looking,
    subtitles: str,
    *,
    progress: Progress | None = None,
) -> tuple[ToolReport, ...]:
    """All tools, and why some cannot be used.

    Args:
        source: The opened video; None for any.
        looking: Which part of it.
        subtitles: Where speech is written down.
        progress: Of finding speech.
    """
    from vidcli.media.plan import choose_span
    from vidcli.methods.agent.offer import Senses, list_tools

    if source is not None:
        span = choose_span(source.info, start=looking.start, end=looking.end)
        heard = find_speech(source, subtitles, progress=progress)
        return list_tools(find_senses(source, heard, span, progress=progress))
    missing = {"transcript": ANY_VIDEO, "shots": "", "on_screen_text": explain_reader()}
    return list_tools(Senses(missing={**missing, **explain_networks()}))


def find_senses(
    source: Footage, heard: Heard, span: Span, *, progress: Progress | None = None
) -> "Senses":
    """What a video can be asked besides looking at it with the model."""
    from vidcli.methods.agent.offer import Senses

    is_still = source.info.video.is_still
    why = explain_reader()

    def read(part: Span) -> "ScreenReport":
        from vidcli.methods.screen_text import Reading, read_screen

        options = Reading(part, READING_STEP)
        return read_screen(source, describe(source), _open_reader(), options, progress=progress)

    networks, lacking = Networks(source, progress), explain_networks()
    return Senses(
        transcript=heard.transcript,
        find_shots=None if is_still else lambda: source.find_shots(progress, span=span),
        read_screen=None if why else read,
        find_tracks=None if lacking[OBJECTS] else networks.follow,
        others=networks.list_senses(),
        missing={"shots": STILL if is_still else "", "on_screen_text": why, **lacking},
    )


def make_tools(bench: Bench, source: Footage) -> dict[str, Any]:
    """What `vidcli.methods.agent.method` is handed as the tools of its work."""
    from vidcli.media.plan import choose_span

    span = choose_span(source.info)
    return {
        "planner": bench.planner or bench.session,
        "senses": find_senses(source, find_speech(source, AUTO), span),
        "arranger": bench.arranger,
        "familiar": bench.familiar,
        "write_prompt": write_prompt,
        "write_call": write_call,
    }


def write_prompt(prompt: TracedPrompt) -> dict[str, Any]:
    """A prompt and its reply, ready to be written as JSON."""
    from vidcli.output.agents import prompt_entry

    return prompt_entry(prompt)


def write_call(call: Call) -> dict[str, Any]:
    """A call of a tool, ready to be written as JSON."""
    from vidcli.output.agents import call_entry

    return call_entry(call)


def explain_reader() -> str:
    """Why there is nothing to read text on the screen with; empty where there is."""
    from vidcli.tools.ocr import name_reader

    try:
        name_reader()
    except SetupError as error:
        return f"{error}; {error.hint}" if error.hint else str(error)
    return ""


@cache
def _open_reader() -> TextReader:
    from vidcli.models.hardware import count_free_cores
    from vidcli.tools.ocr import RapidTextReader

    return RapidTextReader(threads=count_free_cores())
