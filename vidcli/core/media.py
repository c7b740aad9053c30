"""What is known of a video file, and the pictures taken from it.

Sizes are (width, height) in pixels as displayed; images are numpy arrays (height, width, 3).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from vidcli.core.time import Span, Timestamp
from vidcli.errors import NoVideoStreamError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The picture stream that vidcli looks at.

    Attributes:
        index: Stream number in the container.
        codec: FFmpeg's name, such as `h264`.
        time_base: Seconds a tick of PTS lasts.
        coded_size: Pixels as stored, before rotation and sample aspect ratio.
        display_size: Pixels as shown: upright, square.
        rotation: Degrees counter-clockwise needed to make it upright: 0, 90, 180 or 270.
        sample_aspect_ratio: Width over height of a stored pixel.
        average_rate: Frames a second; None where the file does not say.
        is_vfr: Whether the rate varies; None where it could not be told.
        pixel_format: FFmpeg's name, such as `yuv420p10le`.
        color_transfer: `bt709`, `smpte2084` (PQ), `arib-std-b67` (HLG)…; None where unsaid.
        is_hdr: Whether the transfer is PQ or HLG, so that frames need tone-mapping.
        is_still: A single picture without duration.
        is_interlaced: Whether fields must be woven; None where it could not be told.
    """

    index: int
    codec: str
    time_base: Fraction
    coded_size: tuple[int, int]
    display_size: tuple[int, int]
    rotation: int
    sample_aspect_ratio: Fraction
    average_rate: Fraction | None
    is_vfr: bool | None
    pixel_format: str | None
    color_transfer: str | None
    is_hdr: bool
    is_still: bool
    is_interlaced: bool | None


@dataclass(frozen=True, slots=True)
class AudioStream:
    """One audio stream."""

    index: int
    codec: str
    sample_rate: int | None
    channels: int | None
    language: str | None


@dataclass(frozen=True, slots=True)
class SubtitleStream:
    """One subtitle stream; `is_text` tells subtitles that can be read from pictures of text."""

    index: int
    codec: str
    language: str | None
    is_text: bool


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named part of the video, as its author marked it."""

    span: Span
    title: str


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What probing found. A value the file does not give is None, never invented.

    Only who asks for sound too is given a file without pictures; its clock shows 0 where its sound
    begins.

    Attributes:
        path: As the user gave it.
        container: FFmpeg's demuxer name, such as `mov,mp4,m4a,3gp,3g2,mj2`.
        size_bytes: File size.
        duration: Seconds of the picture stream, else of the container.
        picture: The chosen picture stream; None of sound alone.
        warnings: What a viewer of the results should know ("file ends at 9.9 s of 20.0 s").
    """

    path: str
    container: str
    size_bytes: int
    duration: Fraction | None
    picture: VideoStream | None
    audio: tuple[AudioStream, ...] = ()
    subtitles: tuple[SubtitleStream, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    title: str | None = None
    created: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def video(self) -> VideoStream:
        """The chosen picture stream.

        Raises:
            NoVideoStreamError: The file holds sound alone.
        """
        if self.picture is None:
            raise refuse_sound(self.path)
        return self.picture


def refuse_sound(path: str, *, held: str = "only sound") -> NoVideoStreamError:
    """What is said where pictures are needed of a file that can only be heard."""
    return NoVideoStreamError(
        f"{path} has no video stream ({held})",
        hint=f"'vidcli transcribe {path}' writes down what is said in it",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: uint8 sRGB (height, width, 3), upright, square pixels, at its exact PTS.

    Attributes:
        image: C-contiguous; the receiver owns it.
        time: The PTS the frame really has, from the video's start.
        wanted: The planned instant this frame answers.
        is_keyframe: A codec intra frame.
    """

    image: "NDArray[np.uint8]"
    time: Timestamp
    wanted: Fraction
    is_keyframe: bool = False


class Transition(StrEnum):
    """How a shot begins."""

    START = "start"
    CUT = "cut"
    FADE = "fade"
    DISSOLVE = "dissolve"


@dataclass(frozen=True, slots=True)
class Shot:
    """The run between two transitions. Shots tile the video: each starts where the last ended."""

    span: Span
    transition: Transition


@dataclass(frozen=True, slots=True)
class PlannedFrame:
    """An instant to look at, and the rule that chose it (`uniform`, `opening`, `gap fill`…)."""

    time: Fraction
    reason: str


@dataclass(frozen=True, slots=True)
class FramePlan:
    """Which instants to look at: strictly increasing, inside `span`.

    Attributes:
        span: The part of the video the plan answers for.
        frames: At least one.
        rule: The selection that made it: `uniform`, `fps`, `keyframes`, `shots`.
        snap: True where the nearest keyframe at or before each instant is good enough.
        notes: What the budget forced out, one sentence each, for the user to read.
        repeats: How often each instant counts, where a recipe takes some more than once; empty for
            once each.
    """

    span: Span
    frames: tuple[PlannedFrame, ...]
    rule: str
    snap: bool = False
    notes: tuple[str, ...] = ()
    repeats: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        times = [frame.time for frame in self.frames]
        if not times:
            raise ValueError("a plan holds at least one instant")
        if any(later <= sooner for sooner, later in itertools.pairwise(times)):
            raise ValueError("planned instants must be strictly increasing")
        if times[0] not in self.span or times[-1] not in self.span:
            raise ValueError("planned instants must lie inside the span")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a span the seen frames account for.

    Attributes:
        span: What was to be covered.
        frames: Distinct frames really seen.
        largest_gap: The longest stretch of `span` without a seen frame.
    """

    span: Span
    frames: int
    largest_gap: Span


def measure_coverage(span: Span, times: Sequence[Fraction]) -> Coverage:
    """Count the distinct seen instants of `span` and find its longest unseen stretch.

    Args:
        span: What was to be covered.
        times: PTS of seen frames, in any order. One before the span is what the screen shows when
            the span begins; those behind it are ignored.
    """
    seen = sorted({max(time, span.start) for time in times if time < span.end})
    edges = [span.start, *seen, span.end]
    gaps = [Span(a, b) for a, b in itertools.pairwise(edges) if b > a]
    return Coverage(span, len(seen), max(gaps, key=lambda gap: gap.length))
