"""Looking through a video with a detector: every planned frame, and the tracks between them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from vidcli import settings
from vidcli.cli.footage import Footage, choose_plan
from vidcli.cli.frames import SHEET_FRAMES, TILE_WIDTHS, fit_size
from vidcli.cli.groups import Looking
from vidcli.core.media import Coverage, Frame, VideoInfo, measure_coverage
from vidcli.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vidcli.core.detections import Detection
    from vidcli.core.media import FramePlan
    from vidcli.core.protocols import Detector, Progress
    from vidcli.core.tracks import Box, Track
    from vidcli.output.sightings import Found

TRACK_FPS = 5.0  # frames a second that things are followed at, where nothing else is asked
TRACK_FRAMES = 3000  # at most, of one video, where no number is given
LONG_SIDE = 1280  # pixels; detectors shrink what is larger anyway
FAR_APART = Fraction(1)  # seconds between frames from which following is guesswork


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for, with what.

    Attributes:
        detector: Tells of boxes from a score on that is low enough for following.
        name: Of its file.
        wanted: Labels to tell of.
        score: Least score of a box that is told of, or that begins a track.
        follows: Whether things are followed from frame to frame.
        has_sheet: Whether frames are kept for a contact sheet.
    """

    detector: "Detector"
    name: str
    wanted: frozenset[str]
    score: float
    follows: bool
    has_sheet: bool

    def look(self, source: Footage, looking: Looking, *, progress: "Progress") -> "Sightings":
        """Look through one video.

        Raises:
            UsageError: The options do not fit each other.
            MediaError: It cannot be decoded.
            EngineError: The network cannot be run.
        """
        from vidcli.tools.tracking import Tracker, describe_appearance

        plan = self._plan(source, looking, progress)
        seen = Sightings(source.info, self, plan)
        tracker = Tracker(sure=self.score, least=min(2, len(plan.frames)))
        size = fit_size(source.info.video.display_size, LONG_SIDE)
        for number, frame in enumerate(source.frames(plan, size=size), start=1):
            boxes = [one for one in self.detector.detect(frame) if one.label in self.wanted]
            if self.follows:
                looks = [describe_appearance(frame.image, one.box) for one in boxes]
                tracker.add(frame.time.seconds, boxes, looks)
            sure = [one for one in boxes if one.box.score >= self.score]
            seen.add(frame, sure)
            progress("detect", number, len(plan.frames))
        if self.follows:
            seen.tracks, seen.dropped = tracker.finish(), tracker.dropped
        seen.warnings = tuple(dict.fromkeys((*plan.notes, *source.warnings, *seen.warnings)))
        return seen

    def _plan(self, source: Footage, looking: Looking, progress: "Progress") -> "FramePlan":
        if not self.follows:
            budget = SHEET_FRAMES if self.has_sheet else settings.MAX_FRAMES
            return choose_plan(source, looking, budget=budget, progress=progress)
        is_open = not (looking.frames or looking.fps or looking.select or looking.max_gap)
        if is_open:
            looking = replace(looking, fps=TRACK_FPS)
        budget = SHEET_FRAMES if self.has_sheet else TRACK_FRAMES
        plan = choose_plan(source, looking, budget=budget, progress=progress)
        times = [planned.time for planned in plan.frames]
        gaps = (later - sooner for sooner, later in itertools.pairwise(times))
        widest = max(gaps, default=Fraction(0))
        if widest <= FAR_APART:
            return plan
        note = f"frames lie up to {float(widest):.1f} s apart: tracks over such gaps are guesswork"
        return replace(plan, notes=(*plan.notes, note))


@dataclass(slots=True)
class Sightings:
    """What was found in one video.

    Attributes:
        info: Of the video.
        search: What was looked for.
        plan: Which instants were looked at.
        found: By frame, in order; frames without anything too.
        tracks: Where things were followed.
        dropped: Boxes that nothing continued.
        warnings: What a reader must know.
    """

    info: VideoInfo
    search: Search
    plan: "FramePlan"
    found: "list[Found]" = field(default_factory=list)
    tracks: "tuple[Track, ...] | None" = None
    dropped: int = 0
    warnings: tuple[str, ...] = ()
    _tiles: list[Frame] = field(default_factory=list)

    @property
    def has_any(self) -> bool:
        """Whether anything was found at all."""
        if self.tracks is not None:
            return bool(self.tracks)
        return any(detections for _, detections in self.found)

    @property
    def coverage(self) -> Coverage:
        """How much of the span was seen."""
        return measure_coverage(self.plan.span, [time for time, _ in self.found])

    def add(self, frame: Frame, detections: "Sequence[Detection]") -> None:
        """Take in what one frame shows."""
        self.found.append((frame.time.seconds, tuple(detections)))
        if self.search.has_sheet:
            self._tiles.append(replace(frame, image=_shrink(frame.image)))

    def draw_sheet(self, *, title: str) -> "NDArray[np.uint8]":
        """One picture of all frames, with the boxes drawn; those of tracks with their numbers."""
        from vidcli.media.sheet import draw_sheet
        from vidcli.output.plain import count
        from vidcli.tools.overlay import draw_boxes

        tiles, reasons = [], []
        for tile, (time, detections) in zip(self._tiles, self.found, strict=True):
            boxes = self._boxes_at(time, detections)
            tiles.append(replace(tile, image=draw_boxes(tile.image, boxes)))
            reasons.append(count(len(boxes), "box", "boxes"))
        return draw_sheet(tiles, reasons, title=title)

    def _boxes_at(
        self, time: Fraction, detections: "Sequence[Detection]"
    ) -> "list[tuple[str, Box]]":
        """What to write at each box of one frame."""
        if self.tracks is None:
            return [(f"{one.label} {one.box.score:.2f}", one.box) for one in detections]
        return [
            (f"{track.label} {number}", box)
            for number, track in enumerate(self.tracks, start=1)
            for box in track.boxes
            if box.time.seconds == time
        ]


def choose_labels(known: Sequence[str], wanted: Sequence[str]) -> frozenset[str]:
    """The labels to tell of, as the detector writes them; all where none are named.

    Raises:
        UsageError: The detector does not know one of them.
    """
    import difflib

    by_name = {label.casefold(): label for label in known}
    names = [name.strip() for text in wanted for name in text.split(",") if name.strip()]
    chosen = set()
    for name in names:
        label = by_name.get(name.casefold())
        if label is None:
            close = difflib.get_close_matches(name.casefold(), list(by_name), n=3)
            hint = f"did you mean {' or '.join(close)}? " if close else ""
            raise UsageError(
                f"the detector does not know {name!r}: its vocabulary is closed, "
                f"{len(known)} kinds of things",
                hint=f"{hint}'vidcli detect --vocabulary' names them all",
            )
        chosen.add(label)
    return frozenset(chosen or known)


def _shrink(image: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """A frame no wider than the widest tile of a sheet."""
    import cv2

    height, width = image.shape[:2]
    if width <= TILE_WIDTHS[1]:
        return image
    size = (TILE_WIDTHS[1], max(1, round(height * TILE_WIDTHS[1] / width)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return small.astype(image.dtype, copy=False)
