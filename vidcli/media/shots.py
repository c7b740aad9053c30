"""The shots of a video: hard cuts, fades and dissolves, found in one pass over all its frames.

`read_thumbnails` shrinks every frame to a few cells as it is decoded; `find_changes` looks for
transitions in blocks of them, so memory does not grow with the video; `tile` turns transitions
into shots that cover the span without gap or overlap. `list_keyframes` only reads packets.

Not here: which frames of a shot to look at (`vidcli.media.plan`).
"""

import itertools
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np
from av.stream import Discard

from vidcli.core.media import Shot, Transition
from vidcli.core.time import Span
from vidcli.media.cuts import find_cuts
from vidcli.media.flashes import blend_over, find_flashes
from vidcli.media.graduals import Change, find_dissolves, find_fades
from vidcli.media.libav import read_packets, translated
from vidcli.media.pictures import open_pictures
from vidcli.media.probe import probe
from vidcli.media.thumbnails import COLUMNS, ROWS, VALUES, Cells, read_thumbnails

BLOCK = 2048  # frames looked at together: 5 MB of cells
MARGIN = 384  # frames on either side that a transition can depend on, at up to 60 a second
SLACK = 3  # frames within which a cut belongs to a gradual transition beside it
REMEMBERED = 2 * (BLOCK + MARGIN)  # frames: what `find_changes` still tells of is among them
FLASH_ROUNDS = 3  # of finding what the flashes found so far had hidden


def detect_shots(path: str, span: Span | None = None) -> tuple[Shot, ...]:
    """Find the shots of a video.

    Args:
        path: A local file.
        span: Part of it; None is all, to the end that `probe` tells.

    Returns:
        At least one, in order; each starts where the last ended, the first at the start of the
        span, the last ends at its end. A gradual transition parts two shots at its middle.

    Raises:
        MediaError: No picture can be decoded.
    """
    span = span or _whole(path)
    clock, times = _Clock(), {}
    found = find_changes(clock.listen(read_thumbnails(path, span)))
    changes = []
    for change in found:
        changes.append(change)
        times[change.at] = clock.tell(change.at)
    boundaries = [(times[change.at], change.kind) for change in merge_changes(changes)]
    if span is None:
        span = Span(Fraction(0), clock.end)
    return tile(span, [(time, kind) for time, kind in boundaries if time is not None])


def find_changes(frames: Iterable[tuple[Fraction, Cells]]) -> Iterator[Change]:
    """Every transition of a stream of frames, holding no more than a block of them.

    Args:
        frames: (time, cells `[4, 9, 16]`) in the order shown.

    Yields:
        Changes in frames counted from 0, by block; they may overlap (see `merge_changes`).
    """
    rate: float | None = None
    held = np.empty((0, VALUES, ROWS, COLUMNS), np.float32)
    offset = done = 0  # number of the first held frame; changes before this one are out
    for block, rate in _blocks(frames):
        held = np.concatenate([held, block])
        until = offset + len(held) - MARGIN
        if until - done < BLOCK // 2:
            continue
        yield from _inside(held, offset, done, until, rate=rate, ends=False)
        done = until
        keep = max(0, done - MARGIN - offset)
        held, offset = held[keep:].copy(), offset + keep
    if rate is not None:
        until = offset + len(held) + 1
        yield from _inside(held, offset, done, until, rate=rate, ends=True)


def _inside(
    held: Cells, offset: int, start: int, end: int, *, rate: float, ends: bool
) -> Iterator[Change]:
    """Changes among the held frames whose new shot counts from a frame in `[start, end)`."""
    found = _look_past_flashes(held, rate=rate, opens=offset == 0, ends=ends)
    for change in found:
        if start <= change.at + offset < end:
            yield Change(
                change.kind, change.start + offset, change.end + offset, change.at + offset
            )


def _look_past_flashes(cells: Cells, *, rate: float, opens: bool, ends: bool) -> list[Change]:
    """Changes of every kind, none of them a flash; also those that a flash hid."""
    found = _look(cells, rate=rate, opens=opens, ends=ends)
    fades = [(change.start, change.end) for change in found if change.kind is Transition.FADE]
    asked: set[tuple[int, int]] = set()
    flashes: set[tuple[int, int]] = set()
    for _ in range(FLASH_ROUNDS):
        suspects = {(change.start, change.end) for change in found} - asked
        asked |= suspects
        seen = set(find_flashes(cells, suspects, rate=rate)) - flashes
        hiding = {(start, end) for start, end in seen if not _overlaps(start, end, fades)}
        if not hiding:
            break
        flashes |= hiding
        found = _look(blend_over(cells, flashes), rate=rate, opens=opens, ends=ends)
    return [c for c in found if not any(start <= c.at <= end for start, end in flashes)]


def _overlaps(start: int, end: int, fades: Sequence[tuple[int, int]]) -> bool:
    """Whether `[start, end)` is the bottom of a fade: dark pictures on both sides are alike."""
    return any(first < end and start < last for first, last in fades)


def _look(cells: Cells, *, rate: float, opens: bool, ends: bool) -> list[Change]:
    """Changes of every kind, as if there were no flashes."""
    found = [Change(Transition.CUT, at, at, at) for at in find_cuts(cells, rate=rate)]
    found += find_dissolves(cells, rate=rate)
    return found + find_fades(cells, rate=rate, opens=opens, ends=ends)


def _blocks(frames: Iterable[tuple[Fraction, Cells]]) -> Iterator[tuple[Cells, float]]:
    """Stacked cells of up to a block of frames, with the rate that the first block shows."""
    rate: float | None = None
    times: list[Fraction] = []
    cells: list[Cells] = []
    for time, values in frames:
        times.append(time)
        cells.append(values)
        if len(cells) == BLOCK:
            rate = rate or _measure_rate(times)
            yield np.stack(cells), rate
            times, cells = [], []
    if cells:
        yield np.stack(cells), rate or _measure_rate(times)


def _measure_rate(times: Sequence[Fraction]) -> float:
    """Frames a second by the median distance of frames; 25 for a single one."""
    if len(times) < 2:
        return 25.0
    return 1 / max(1e-3, float(np.median(np.diff(np.asarray(times, dtype=np.float64)))))


def merge_changes(changes: Iterable[Change]) -> list[Change]:
    """One change where several tell of the same transition: fades win, then cuts.

    Returns:
        In order of time, none within `SLACK` frames of another.
    """
    kept: defaultdict[int, list[Change]] = defaultdict(list)  # by stretches of `MARGIN` frames
    order = (Transition.FADE, Transition.CUT, Transition.DISSOLVE)
    for change in sorted(changes, key=lambda change: (order.index(change.kind), change.at)):
        stretch = change.at // MARGIN
        near = (other for k in (stretch - 1, stretch, stretch + 1) for other in kept[k])
        if not any(
            change.start < other.end + SLACK and other.start - SLACK < change.end for other in near
        ):
            kept[stretch].append(change)
    return sorted(itertools.chain(*kept.values()), key=lambda change: change.at)


def tile(span: Span, boundaries: Iterable[tuple[Fraction, Transition]]) -> tuple[Shot, ...]:
    """Shots that cover `span`, parted at the boundaries inside it.

    Args:
        span: What to cover.
        boundaries: (first instant of the new shot, how it begins), in any order.
    """
    inside = {time: kind for time, kind in boundaries if span.start < time < span.end}
    starts = [(span.start, Transition.START), *sorted(inside.items())]
    ends = [*(time for time, _ in starts[1:]), span.end]
    return tuple(
        Shot(Span(start, end), kind) for (start, kind), end in zip(starts, ends, strict=True)
    )


def list_keyframes(path: str) -> tuple[Fraction, ...]:
    """Times of the codec's keyframes, reading packets only: an hour takes a second or so.

    Returns:
        Strictly increasing, on the video's clock; empty where packets carry no times.

    Raises:
        MediaError: The file cannot be opened.
    """
    with open_pictures(path) as pictures, translated(path):
        if pictures.origin is None:
            return ()
        for stream in pictures.container.streams:
            if stream.index != pictures.stream.index:
                stream.discard = Discard.all
        # Discard.nonkey would be faster still, but FFmpeg 8 then shifts the PTS of an MP4 whose
        # frames are reordered (test_keyframes_are_listed_at_their_own_times).
        ticks = {
            packet.pts if packet.pts is not None else packet.dts
            for packet in read_packets(pictures.container, pictures.stream)
            if packet is not None and packet.is_keyframe and not packet.is_corrupt
        }
        times = {(t - pictures.origin) * pictures.time_base for t in ticks if t is not None}
        return tuple(sorted(time for time in times if time >= 0))


def _whole(path: str) -> Span | None:
    """All of the video; None where even probing cannot tell how long that is (a still image)."""
    duration = probe(path).duration
    return Span(Fraction(0), duration) if duration else None


class _Clock:
    """Times of the frames that went by last; of all, memory would grow with the video."""

    def __init__(self) -> None:
        self._gone = 0  # frames whose times are forgotten
        self._times: deque[Fraction] = deque()

    def listen(self, frames: Iterable[tuple[Fraction, Cells]]) -> Iterator[tuple[Fraction, Cells]]:
        """Let frames through, remembering their times."""
        for time, cells in frames:
            self._times.append(time)
            if len(self._times) > REMEMBERED:
                self._times.popleft()
                self._gone += 1
            yield time, cells

    def tell(self, number: int) -> Fraction | None:
        """When frame `number` is shown; None past the last frame."""
        place = number - self._gone
        assert place >= 0, "a change in frames long gone"
        return self._times[place] if place < len(self._times) else None

    @property
    def end(self) -> Fraction:
        """Where the last frame ends: it lasts as the one before it; a single one 1/25 s."""
        if len(self._times) < 2:
            return (self._times[-1] if self._times else Fraction(0)) + Fraction(1, 25)
        return self._times[-1] + (self._times[-1] - self._times[-2])
