"""Reading the text that a video shows, from when it is there to when it is gone.

The picture is looked at in even steps and read where any spot of it has changed since it was last
read: a slide that replaces another and a letter that is typed are both changes, whether or not a
shot ends. Lines whose spot has not changed keep what was read. Where a line comes or goes between
two looks is found by looking more closely (`screen_edges`).

Not here: the reader (`core.protocols.TextReader`), and which lines are the same (`screen_lines`).
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.media import Frame, FramePlan, PlannedFrame, measure_coverage
from vidcli.core.protocols import FrameSource, Progress, TextReader
from vidcli.core.results import VideoReport
from vidcli.core.screen import ScreenLine, ScreenReport, ScreenText, TextPlace
from vidcli.core.time import Span
from vidcli.methods.screen_edges import Edged, find_edges
from vidcli.methods.screen_lines import Follower, overlap

LONG_SIDE = 1920  # pixels that are read at most
SHORT_SIDE = 360  # pixels that small pictures are enlarged to: letters of 7 are read badly
SPOT = 16  # pixels a side of the smallest part whose change counts
CHANGE = 6.0  # levels of 255, mean over a spot; a typed letter is 10 and more, codec noise below 3
SAME_PLACE = 0.5  # of a line that another must cover to be in its place
LEAST_CONFIDENCE = 0.7
LEAST_LETTERS = 2
TOGETHER = Fraction(1, 4)  # of a step within which lines come or go together
CLOSING = Fraction(1, 100)  # seconds before the end that still show the last picture

Grey = NDArray[np.uint8]  # (height, width)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a video is read.

    Attributes:
        span: The part to read.
        step: Seconds from one look to the next.
        least_confidence: A line that the reader is less sure of is left out, 0 to 1.
        least_letters: A line of fewer letters and digits is left out: to a reader, a drawn shape
            looks like a single letter.
    """

    span: Span
    step: Fraction
    least_confidence: float = LEAST_CONFIDENCE
    least_letters: int = LEAST_LETTERS

    def takes(self, line: ScreenLine) -> bool:
        """Whether a line is sure and long enough."""
        n_letters = sum(letter.isalnum() for letter in line.text)
        return line.confidence >= self.least_confidence and n_letters >= self.least_letters


def read_screen(
    source: FrameSource,
    video: VideoReport,
    reader: TextReader,
    options: Reading,
    *,
    progress: Progress | None = None,
) -> ScreenReport:
    """Read the text of a video.

    Raises:
        MediaError: Nothing could be decoded.
    """
    size, scale = choose_size(source.info.video.display_size)
    plan = plan_looks(options.span, options.step)
    looks = _Looks(reader, 1 / scale)
    for number, frame in enumerate(source.frames(plan, size=size), start=1):
        looks.take(frame)
        if progress is not None:
            progress("read", number, len(plan.frames))
    tracks = looks.follower.tracks
    taken = [track for track in tracks if options.takes(track.choose())]
    edged = find_edges(source, options.span, taken, looks.times, progress=progress)
    return ScreenReport(
        video=video,
        texts=group_lines(edged, options.step * TOGETHER),
        step=options.step,
        coverage=measure_coverage(options.span, looks.times),
        n_read=looks.n_read,
        n_left_out=len(tracks) - len(taken),
        reader=reader.name,
        warnings=source.warnings,
    )


def time_look(source: FrameSource, reader: TextReader, looks: FramePlan) -> float:
    """Wall seconds of decoding and reading one picture, that in the middle; most take less.

    Raises:
        MediaError: It cannot be decoded.
    """
    size, _ = choose_size(source.info.video.display_size)
    middle = len(looks.frames) // 2
    probe = FramePlan(looks.span, looks.frames[middle : middle + 1], looks.rule)
    started = time.perf_counter()
    for frame in source.frames(probe, size=size):
        reader.read(frame.image, reader.find(frame.image))
    return time.perf_counter() - started


def choose_size(shown: tuple[int, int]) -> tuple[tuple[int, int], float]:
    """(width, height) to read pictures of a displayed size at, and how many times larger it is."""
    scale = max(1.0, SHORT_SIDE / min(shown))
    scale = min(scale, LONG_SIDE / max(shown))
    width, height = (max(1, round(side * scale)) for side in shown)
    return (width, height), scale


def plan_looks(span: Span, step: Fraction) -> FramePlan:
    """Looks from the start of a span to its last picture, `step` seconds apart."""
    count = max(1, -(-span.length // step))
    times = [span.start + step * number for number in range(count)]
    closing = span.end - CLOSING
    if closing > times[-1]:
        times.append(closing)
    return FramePlan(span, tuple(PlannedFrame(time, "look") for time in times), "looks")


@dataclass(slots=True)
class _Looks:
    """What was seen so far.

    Attributes:
        shrink: From pixels of the pictures taken to those of the video.
        times: Of the pictures taken.
        n_read: Pictures that were read.
    """

    reader: TextReader
    shrink: float
    follower: Follower = field(default_factory=Follower)
    times: list[Fraction] = field(default_factory=list)
    n_read: int = 0
    _last: Grey | None = None
    _lines: tuple[ScreenLine, ...] = ()  # of the picture read last, in its own pixels

    def take(self, frame: Frame) -> None:
        """Look at the next picture."""
        look = len(self.times)
        self.times.append(frame.time.seconds)
        grey = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY), np.uint8)
        change = None if self._last is None else measure_change(self._last, grey)
        if change is not None and float(change.max()) < CHANGE:
            self.follower.stand(look)
            return
        self._lines = tuple(self._read(frame.image, change))
        self._last = grey
        self.n_read += 1
        shown = [
            ScreenLine(line.text, line.place.scaled(self.shrink), line.confidence)
            for line in self._lines
            if line.text
        ]
        self.follower.follow(look, shown)

    def _read(
        self, image: NDArray[np.uint8], change: NDArray[np.float32] | None
    ) -> Iterator[ScreenLine]:
        """Lines of a picture; those whose spot has not changed are not read again."""
        places = self.reader.find(image)
        fresh = [place for place in places if change is None or has_changed(change, place)]
        for line in self._lines:
            assert change is not None, "lines were read, so that there was a picture"
            is_gone = has_changed(change, line.place)
            if not is_gone and not any(_covers(place, line.place) for place in fresh):
                yield line
        for place, read in zip(fresh, self.reader.read(image, fresh), strict=True):
            yield ScreenLine(read.text, place, read.confidence)


def measure_change(before: Grey, now: Grey) -> NDArray[np.float32]:
    """How much each spot of a picture has changed, in levels of 255, for every pixel in its middle.

    Args:
        before: (height, width).
        now: Of the same size.
    """
    difference = cv2.absdiff(before, now).astype(np.float32)
    return np.asarray(cv2.blur(difference, (SPOT, SPOT)), np.float32)


def has_changed(change: NDArray[np.float32], place: TextPlace) -> bool:
    """Whether any spot of a line has changed."""
    height, width = change.shape
    left, top, right, bottom = place.box
    rows = slice(max(0, int(top)), max(0, min(height, round(bottom) + 1)))
    columns = slice(max(0, int(left)), max(0, min(width, round(right) + 1)))
    part = change[rows, columns]
    return bool(part.size) and float(part.max()) >= CHANGE


def _covers(place: TextPlace, other: TextPlace) -> bool:
    return overlap(place, other) >= SAME_PLACE


def group_lines(lines: list[Edged], tolerance: Fraction) -> tuple[ScreenText, ...]:
    """Put lines together that come and go together, in reading order.

    Args:
        lines: In any order.
        tolerance: Seconds by which their times may differ.

    Returns:
        In order of their start, those that begin together from top to bottom.
    """
    groups: list[list[Edged]] = []
    for edged in sorted(lines, key=lambda edged: (edged.span.start, edged.span.end)):
        for group in reversed(groups):
            if abs(group[0].span.start - edged.span.start) > tolerance:
                continue
            if abs(group[0].span.end - edged.span.end) <= tolerance:
                group.append(edged)
                break
        else:
            groups.append([edged])
    texts = map(_as_text, groups)
    return tuple(sorted(texts, key=lambda text: (text.span.start, text.lines[0].place.box[1])))


def _as_text(group: list[Edged]) -> ScreenText:
    inside = sorted((edged.line for edged in group), key=_reading_order)
    start = min(edged.span.start for edged in group)
    return ScreenText(Span(start, max(edged.span.end for edged in group)), tuple(inside))


def _reading_order(line: ScreenLine) -> tuple[float, float]:
    left, top, _, bottom = line.place.box
    return round((top + bottom) / 2 / max(1.0, bottom - top)), left
