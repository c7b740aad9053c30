"""A frame source of made-up pictures, for tests of what happens after decoding."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from vidcli.core.media import Frame, FramePlan, PlannedFrame, VideoInfo, VideoStream
from vidcli.core.time import Span, Timestamp

TENTH = Fraction(1, 10)


def make_info(seconds: int = 10) -> VideoInfo:
    stream = VideoStream(
        index=0,
        codec="h264",
        time_base=TENTH,
        coded_size=(640, 360),
        display_size=(640, 360),
        rotation=0,
        sample_aspect_ratio=Fraction(1),
        average_rate=Fraction(10),
        is_vfr=False,
        pixel_format="yuv420p",
        color_transfer=None,
        is_hdr=False,
        is_still=False,
        is_interlaced=False,
    )
    return VideoInfo("clip.mp4", "mov", 1000, Fraction(seconds), stream)


def make_plan(n: int, seconds: int = 10) -> FramePlan:
    """`n` midpoints of equal parts of `seconds`."""
    frames = (PlannedFrame(Fraction(seconds * (2 * i + 1), 2 * n), "uniform") for i in range(n))
    return FramePlan(Span(Fraction(0), Fraction(seconds)), tuple(frames), "uniform")


class PictureSource:
    """Noise that depends on the instant alone, at 10 frames a second.

    Args:
        end: Instants from here on yield no frame, as after a damaged tail.
        still: Every instant shows the frame at 0.
    """

    def __init__(self, *, end: Fraction = Fraction(10), still: bool = False) -> None:
        self.info = make_info()
        self.warnings: tuple[str, ...] = ()
        self.decoded: list[Fraction] = []
        self._end = end
        self._still = still

    def frames(self, plan: FramePlan, *, size: tuple[int, int] | None) -> Iterator[Frame]:
        assert size is not None
        for planned in plan.frames:
            if planned.time >= self._end:
                self.warnings = (f"file ends at {float(self._end)} s",)
                continue
            tick = 0 if self._still else int(planned.time / TENTH)
            self.decoded.append(planned.time)
            noise = np.random.default_rng(tick).integers(0, 255, (size[1], size[0], 3), np.uint8)
            yield Frame(noise, Timestamp(tick, TENTH), planned.time)
