"""`vidcli agent`: a planner that never sees the video, and tools that look at it."""

from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

import typer

from vidcli import settings
from vidcli.cli.agent_senses import find_tools
from vidcli.cli.agent_task import AgentTask
from vidcli.cli.ask import split_words
from vidcli.cli.footage import open_videos
from vidcli.cli.groups import Looking, Planning, Rehearsing, Telling, Writing, takes_groups
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import (
    LOOKING,
    OUTPUT,
    WRITING,
    FromOption,
    ToOption,
    read_positive_time,
)
from vidcli.cli.running import run_task
from vidcli.cli.speech import AUTO, check_subtitles
from vidcli.cli.summarize import SubtitlesOption
from vidcli.cli.summarizing import caption_sampling
from vidcli.cli.terminal import write_document, write_table
from vidcli.core.agent import Style
from vidcli.errors import UsageError

PLANNING = "Planning"
TIME_LIMIT = Fraction(600)


@dataclass(frozen=True, slots=True)
class AgentWriting(Writing):
    """How captions and replies are written."""

    max_tokens: Annotated[
        int,
        typer.Option(
            "--max-tokens",
            min=1,
            help="Longest caption, or answer of a tool that looks.",
            rich_help_panel=WRITING,
        ),
    ] = settings.SEGMENT_TOKENS


@dataclass(frozen=True, slots=True)
class Acting:
    """How the planner works, and for how long."""

    style: Annotated[
        Style,
        typer.Option(
            help="Judge an answer and look for what is missing, or think and call tools.",
            rich_help_panel=PLANNING,
        ),
    ] = Style.CONFIDENCE
    max_rounds: Annotated[
        int | None,
        typer.Option(
            "--max-rounds",
            min=1,
            help="Most rounds.  [default: 3, or 10 with --style react]",
            rich_help_panel=PLANNING,
        ),
    ] = None
    time_limit: Annotated[
        Fraction,
        typer.Option(
            "--time-limit",
            metavar="TIME",
            parser=read_positive_time,
            help="Begin nothing new after it; the answer is still written.",
            show_default="10 min",
            rich_help_panel=PLANNING,
        ),
    ] = TIME_LIMIT
    steps: Annotated[
        bool | None,
        typer.Option(
            "--steps/--no-steps",
            help="Answer with numbered steps, or in words.  [default: as the goal says]",
            rich_help_panel=PLANNING,
        ),
    ] = None
    tools: Annotated[
        bool,
        typer.Option(
            "--tools",
            help="List the tools, and why some cannot be used; answer nothing.",
            rich_help_panel=OUTPUT,
        ),
    ] = False


@takes_groups
def agent(
    choosing: Choosing,
    acting: Acting,
    loading: Planning,
    writing: AgentWriting,
    telling: Telling,
    rehearsing: Rehearsing,
    keeping: Keeping,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VIDEO... GOAL",
            help="Video files, directories, patterns or '-', then the question or goal.",
            show_default=False,
        ),
    ] = None,
    question: Annotated[
        str | None,
        typer.Option("--question", "-q", help="The goal; all arguments are videos then."),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            "--frames",
            min=1,
            help="Frames to begin with, or of each segment.  [default: 5, or 4 with --style react]",
            rich_help_panel=LOOKING,
        ),
    ] = None,
    segment: Annotated[
        Fraction | None,
        typer.Option(
            "--segment",
            metavar="TIME",
            parser=read_positive_time,
            help="Length of a segment that --style react remembers.  [default: 2 s, or a 60th]",
            rich_help_panel=LOOKING,
        ),
    ] = None,
    start: FromOption = None,
    end: ToOption = None,
    subtitles: SubtitlesOption = AUTO,
) -> None:
    """Let a planner that never sees the video find an answer, or steps to a goal, with tools.

    Every call of a tool is told, and the answer names those it rests on. Ask for steps, and each
    comes with the time at which the video shows it.
    """
    from vidcli.methods.agent.run import Agency

    looking = Looking(start=start, end=end)
    if acting.tools:
        list_tools(words or [], looking, subtitles, telling)
        return
    videos, text = split_words(words or [], question)
    inputs = gather(videos, choosing)
    if segment is not None and acting.style is not Style.REACT:
        raise UsageError("--segment goes with --style react only", hint="leave it out")
    sampling = writing.sampling()
    agency = Agency(
        style=acting.style,
        steps=acting.steps,
        rounds=acting.max_rounds or 0,
        seconds=float(acting.time_limit),
        frames=frames or 0,
        segment=segment,
        sampling=sampling,
        looking=caption_sampling(writing),
    )
    task = AgentTask(
        name="agent",
        looking=looking,
        question=text,
        agency=agency,
        subtitles=check_subtitles(subtitles, many=inputs.many),
    )
    run_task(inputs, task, loading, telling, rehearsing, keeping)


def list_tools(words: list[str], looking: Looking, subtitles: str, telling: Telling) -> None:
    """Print the tools there are, for one video or for any.

    Raises:
        UsageError: More than one video is named.
    """
    from vidcli.output.agents import TOOL_COLUMNS, tool_rows, tools_document
    from vidcli.output.progress import open_progress

    if len(words) > 1:
        raise UsageError("--tools is about one video", hint="name one video, or none")
    with ExitStack() as stack:
        source = None
        if words:
            source = stack.enter_context(open_videos(words[0]))(words[0])
        with open_progress(quiet=telling.quiet) as progress:
            tools = find_tools(source, looking, subtitles, progress=progress)
    if telling.json:
        write_document(tools_document(tools))
    else:
        write_table(tool_rows(tools), columns=TOOL_COLUMNS)
