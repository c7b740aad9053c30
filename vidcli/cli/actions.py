"""`vidcli actions`: what happens in a video, in the words of a classifier of clips."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.footage import Footage, open_videos
from vidcli.cli.groups import Telling, takes_groups
from vidcli.cli.inputs import Choosing, each_input, gather
from vidcli.cli.options import LOOKING, OUTPUT, FromOption, ToOption, read_positive_time
from vidcli.cli.terminal import write_document, write_out, write_table
from vidcli.cli.tool_options import (
    LabelsFileOption,
    OptionalVideosArgument,
    ToolModelOption,
    VocabularyOption,
)
from vidcli.core.media import Frame, VideoInfo
from vidcli.core.onnx_header import OnnxRole
from vidcli.errors import ExitCode, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vidcli.core.detections import Action, Window
    from vidcli.core.protocols import ClipClassifier, Progress

NETWORK_FPS = 25  # frames a second of the clips that such networks are taught on
EVERY_S = Fraction(1)
MOST_WINDOWS = 600  # of one video, where `--every` is not given


@dataclass(frozen=True, slots=True)
class Watching:
    """Which stretches to look at, and what to make of them.

    Attributes:
        start: Of the part to look at; None is the beginning.
        end: Of it; None is the end.
        window: Seconds of a stretch; None as the network was taught.
        every: Seconds from one to the next; None is `EVERY_S`, more in a long video.
        top: Labels to tell of for each.
        score: Probability from which a stretch counts for an action.
    """

    start: FromOption = None
    end: ToOption = None
    window: Annotated[
        Fraction | None,
        typer.Option(
            metavar="TIME",
            parser=read_positive_time,
            help="How long a stretch the network looks at together.",
            show_default=f"its frames at {NETWORK_FPS} a second",
            rich_help_panel=LOOKING,
        ),
    ] = None
    every: Annotated[
        Fraction | None,
        typer.Option(
            metavar="TIME",
            parser=read_positive_time,
            help=f"From one stretch to the next; at most {MOST_WINDOWS} where not given.",
            show_default=f"{float(EVERY_S):g} s",
            rich_help_panel=LOOKING,
        ),
    ] = None
    top: Annotated[
        int,
        typer.Option(min=1, max=1000, help="Labels told of each stretch.", rich_help_panel=OUTPUT),
    ] = 3
    score: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="How likely a label must be, at least.", rich_help_panel=OUTPUT
        ),
    ] = 0.3


@dataclass(frozen=True, slots=True)
class Watched:
    """What one video was found to hold."""

    info: VideoInfo
    windows: "tuple[Window, ...]"
    actions: "tuple[Action, ...]"
    warnings: tuple[str, ...]


@takes_groups
def actions(
    choosing: Choosing,
    watching: Watching,
    telling: Telling,
    videos: OptionalVideosArgument = None,
    windows: Annotated[
        bool,
        typer.Option("--windows", help="Tell of every stretch by itself.", rich_help_panel=OUTPUT),
    ] = False,
    model: ToolModelOption = None,
    labels_file: LabelsFileOption = None,
    vocabulary: VocabularyOption = False,
) -> None:
    """Say what happens when, with a classifier of short clips; of a closed vocabulary.

    Stretches that agree become one action. Exit code 1 where no label is likely enough in any of
    the videos.
    """
    from vidcli.models.tool_files import choose_tool_file
    from vidcli.output.progress import open_progress
    from vidcli.tools.actions import ActionNetwork

    if not videos and not vocabulary:
        raise UsageError("no video named", hint="vidcli actions VIDEO...")
    inputs = None if vocabulary else gather(videos or (), choosing)
    path = choose_tool_file(OnnxRole.ACTIONS, model)
    network = ActionNetwork(path, labels_file=labels_file)
    if inputs is None:
        write_out("".join(f"{label}\n" for label in network.labels))
        return
    telling.notes.detail(f"{path.name} knows {len(network.labels)} labels")
    any_found, shown = False, 0

    def show(video: str) -> None:
        nonlocal any_found, shown
        with open_progress(quiet=telling.quiet) as progress:
            watched = watch(network, open_video(video), watching, progress=progress)
        any_found |= bool(watched.actions)
        heading = f"{video}" if inputs.many else ""
        write_out("\n" if heading and shown and not telling.json else "")
        write_watched(
            watched,
            telling,
            heading=heading,
            by_window=windows,
            about=(path.name, len(network.labels), watching.score),
        )
        shown += 1

    with open_videos() as open_video:
        each_input(inputs, show, json=telling.json)
    if not any_found:
        raise typer.Exit(ExitCode.NEGATIVE)


def watch(
    network: "ClipClassifier", source: Footage, watching: Watching, *, progress: "Progress"
) -> Watched:
    """Look at every stretch of one video.

    Raises:
        UsageError: The span makes no sense.
        MediaError: It cannot be decoded.
        EngineError: The network cannot be run.
    """
    from vidcli.core.detections import Window
    from vidcli.core.media import FramePlan, PlannedFrame
    from vidcli.media.plan import choose_span
    from vidcli.tools.actions import best_guesses, instants_of, merge_windows, plan_windows

    span = choose_span(source.info, start=watching.start, end=watching.end)
    length = watching.window or Fraction(network.length, NETWORK_FPS)
    most = MOST_WINDOWS if watching.every is None else None
    stretches, every = plan_windows(span, length=length, every=watching.every or EVERY_S, most=most)
    notes = []
    if every > (watching.every or EVERY_S):
        notes.append(f"{len(stretches)} stretches, one every {float(every):.1f} s: --every sets it")
    wanted = [instants_of(stretch, network.length) for stretch in stretches]
    times = sorted({time for instants in wanted for time in instants})
    plan = FramePlan(span, tuple(PlannedFrame(time, "window") for time in times), "windows")
    frames = source.frames(plan, size=cover_size(source.info.video.display_size, network.size))
    held = Held(frames)
    told = []
    for number, (stretch, instants) in enumerate(zip(stretches, wanted, strict=True), start=1):
        images = held.take(instants)
        if not images:
            notes.append(f"no new pictures from {float(stretch.start):.1f} s on")
            break
        guesses = best_guesses(network.classify(images), network.labels, top=watching.top)
        told.append(Window(stretch, guesses))
        progress("classify", number, len(stretches))
    merged = merge_windows(told, least=watching.score)
    warnings = tuple(dict.fromkeys((*notes, *source.warnings)))
    return Watched(source.info, tuple(told), merged, warnings)


class Held:
    """The frames of the stretch at hand, of a stream of frames.

    Args:
        frames: In order; one whose picture several instants show comes once, for the first.
    """

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self._next = next(frames, None)
        self._kept: list[Frame] = []

    def take(self, instants: Sequence[Fraction]) -> "list[NDArray[np.uint8]]":
        """What each instant shows; nothing where the pictures ended before the first.

        Args:
            instants: In order; no earlier than those asked for before.
        """
        while len(self._kept) > 1 and self._kept[1].wanted <= instants[0]:
            self._kept.pop(0)
        while self._next is not None and self._next.wanted <= instants[-1]:
            self._kept.append(self._next)
            self._next = next(self._frames, None)
        is_over = self._next is None and (not self._kept or self._kept[-1].wanted < instants[0])
        if is_over or not self._kept:
            return []
        wanted = [frame.wanted for frame in self._kept]
        return [self._kept[max(0, bisect_right(wanted, t) - 1)].image for t in instants]


def cover_size(display_size: tuple[int, int], side: int) -> tuple[int, int] | None:
    """(width, height) whose short side is `side`; None where the video is no larger than that."""
    short = min(display_size)
    if short <= side:
        return None
    width, height = (max(side, round(Fraction(length * side, short))) for length in display_size)
    return width, height


def write_watched(
    watched: Watched,
    telling: Telling,
    *,
    heading: str,
    by_window: bool,
    about: tuple[str, int, float],
) -> None:
    """Write what one video was found to hold.

    Args:
        watched: What it is.
        telling: In which form.
        heading: To write above; empty for none.
        by_window: Whether to tell of every stretch instead of what they add up to.
        about: The model's name, how many labels it knows, the least probability.
    """
    from vidcli.output.plain import count, printable
    from vidcli.output.sightings import (
        ACTION_COLUMNS,
        WINDOW_COLUMNS,
        action_rows,
        actions_document,
        window_rows,
    )

    if telling.json:
        model, labels, score = about
        document = actions_document(
            watched.info,
            watched.windows,
            watched.actions,
            model=model,
            labels=labels,
            score=score,
            warnings=watched.warnings,
        )
        write_document(document)
    else:
        write_out(f"{printable(heading)}:\n" if heading else "")
        if by_window and watched.windows:
            write_table(window_rows(watched.windows), columns=WINDOW_COLUMNS, right=(0, 1))
        elif watched.actions:
            write_table(action_rows(watched.actions), columns=ACTION_COLUMNS, right=(0, 1, 3, 4))
    for warning in watched.warnings:
        telling.notes.warn(warning)
    looked_at = count(len(watched.windows), "stretch", "stretches")
    telling.notes.tell(f"{count(len(watched.actions), 'action')} in {looked_at}")
