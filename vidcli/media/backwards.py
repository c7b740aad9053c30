"""A video that runs backwards: the control for whatever is said of order and direction."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from vidcli.core.media import Frame, FramePlan, PlannedFrame
from vidcli.core.time import Span, Timestamp
from vidcli.media.video import Video

LAST = Fraction(1, 1000)  # how far before its end a span's last instant is looked for, in seconds


class BackwardsVideo(Video):
    """A video whose frame at each instant is the one at the mirrored instant of the other.

    Args:
        video: The one that runs forwards; it stays usable.
    """

    def __init__(self, video: Video) -> None:
        super().__init__(video.info, video._worker)
        self._forwards = video

    @property
    def fingerprint(self) -> str:
        """Names the content: another than that of the video that runs forwards."""
        return hashlib.sha256(f"backwards {self._forwards.fingerprint}".encode()).hexdigest()[:32]

    def frames(self, plan: FramePlan, *, size: tuple[int, int] | None = None) -> Iterator[Frame]:
        """Decode the mirrored instants, and give them out last first under the planned times.

        All frames of the plan are held at once.
        """
        mirrored = {mirror(frame.time, plan.span): frame for frame in reversed(plan.frames)}
        there = replace(
            plan,
            frames=tuple(PlannedFrame(time, frame.reason) for time, frame in mirrored.items()),
        )
        for frame in reversed(list(super().frames(there, size=size))):
            wanted = mirrored[frame.wanted].time
            yield replace(
                frame,
                time=Timestamp(wanted.numerator, Fraction(1, wanted.denominator)),
                wanted=wanted,
            )


def mirror(time: Fraction, span: Span) -> Fraction:
    """The instant as far from the span's end as `time` is from its start, inside the span."""
    return min(span.start + span.end - time, span.end - min(LAST, span.length / 2))
