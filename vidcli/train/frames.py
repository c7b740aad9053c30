"""Videos as training sees them: the frames `ask` would look at, at the size it would decode them.

The plan, the decoder, the grouping and the dropping of repeated pictures are those of `ask`; only
the encoder is left out: pixels are kept where `ask` keeps visual tokens.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np

from vidcli.core.prompt import ImagePart, SeenFrame, VisualTokens
from vidcli.core.protocols import FrameSource, Session
from vidcli.core.results import Timings
from vidcli.core.time import Span, Timestamp
from vidcli.engine.scribe import Scribe
from vidcli.errors import MediaError
from vidcli.media.plan import choose_span, plan_auto, plan_uniform
from vidcli.media.video import open_video
from vidcli.media.worker import DecoderWorker
from vidcli.methods.watch import watch

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Clip:
    """The frames of one video, as the model is shown them.

    Attributes:
        name: Names the content and which frames are shown: equal name, equal pixels.
        pixels: uint8 RGB [groups, frames of a group, height, width, 3]; a short group repeats its
            last frame. None where only the cached features are at hand.
        shown: Of each group the frames in it, with their times.
        duration: Of the video in seconds; None where unknown.
        size: (width, height) of the pixels.
    """

    name: str
    pixels: "NDArray[np.uint8] | None"
    shown: tuple[tuple[SeenFrame, ...], ...]
    duration: Fraction | None
    size: tuple[int, int]

    @property
    def n_groups(self) -> int:
        """Frames, or groups where the family merges neighbours."""
        return len(self.shown)


def make_clip(
    frames: "NDArray[np.uint8]",
    times: Sequence[Fraction],
    *,
    duration: Fraction | None,
    group: int = 1,
    name: str = "",
) -> Clip:
    """A clip of frames that are in memory, such as drawn ones.

    Args:
        frames: uint8 RGB [n, height, width, 3], of the size the model takes.
        times: Of each, in seconds, rising.
        duration: Of the video they stand for.
        group: Neighbours that the model's family merges.
        name: Names the content; a digest of the frames where it is empty.
    """
    seen = [
        SeenFrame(n, Timestamp(int(time * 90_000), Fraction(1, 90_000)), time, "uniform")
        for n, time in enumerate(times, start=1)
    ]
    shown = tuple(tuple(seen[i : i + group]) for i in range(0, len(seen), group))
    stacked = [frames[i : i + group] for i in range(0, len(seen), group)]
    return Clip(
        name or hashlib.sha256(frames.tobytes()).hexdigest()[:32],
        np.stack([_fill(part, group) for part in stacked]),
        shown,
        duration,
        (frames.shape[2], frames.shape[1]),
    )


def _fill(frames: "NDArray[np.uint8]", group: int) -> "NDArray[np.uint8]":
    """A short group repeats its last frame, as the families themselves do."""
    return np.concatenate([frames, *[frames[-1:]] * (group - len(frames))])


class _Recorder:
    """Stands where `watch` wants a session: keeps pixels in place of encoding them."""

    native_s = 0.0

    def __init__(self, scribe: Scribe) -> None:
        self.profile = scribe.profile
        self._scribe = scribe
        self._pixels: dict[int, NDArray[np.uint8]] = {}
        self._kept: list[VisualTokens] = []

    def encode(self, images: "Sequence[NDArray[np.uint8]]") -> VisualTokens:
        tokens = replace(self._scribe.measure((images[0].shape[1], images[0].shape[0])))
        self._pixels[id(tokens)] = _fill(np.stack(list(images)), self.profile.group)
        self._kept.append(tokens)
        return tokens

    def pixels_of(self, image: ImagePart) -> "NDArray[np.uint8]":
        return self._pixels[id(image.tokens)]


def watch_video(
    path: str, scribe: Scribe, worker: DecoderWorker, *, frames: int, span: Span | None = None
) -> Clip:
    """Look at a video as `ask --frames N` does.

    Args:
        path: A video file.
        scribe: Of the model that is trained.
        worker: Decodes.
        frames: As many, spread evenly; 0 is `--frames auto`.
        span: The part to look at; None for all of it.

    Raises:
        MediaError: It is no video, too small, or no frame of it could be decoded.
        UsageError: The span is outside the video.
    """
    video = open_video(path, worker)
    source: FrameSource = video
    info = video.info
    part = choose_span(info, start=span.start if span else None, end=span.end if span else None)
    plan = plan_uniform(info, part, budget=frames) if frames else plan_auto(info, part)
    size = scribe.frame_size(info.video.display_size)
    if not scribe.takes(size):
        raise MediaError(
            f"{path} is too small for this model: its frames of {size[0]}x{size[1]} would be"
            " enlarged by llama.cpp in a way that training cannot repeat",
            hint="enlarge the video, or leave it out",
        )
    recorder = _Recorder(scribe)
    watched = watch(source, cast(Session, recorder), plan, size=size, store=None, timings=Timings())
    shown = tuple(image.frames for image in watched.images)
    moments = repr([[str(frame.time.seconds) for frame in group] for group in shown])
    name = hashlib.sha256(f"{video.fingerprint} {size} {moments}".encode()).hexdigest()[:32]
    pixels = np.stack([recorder.pixels_of(image) for image in watched.images])
    return Clip(name, pixels, shown, info.duration, size)
