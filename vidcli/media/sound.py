"""The sound of a video as one channel at 16 kHz, on the video's clock.

A stretch is read at a time, so that an hour costs no more memory than a minute. Where the stream
holds nothing, before its start, in a gap, after its end, there is silence.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard
from numpy.typing import NDArray

from vidcli.core.sound import RATE
from vidcli.errors import MediaError, NoVideoStreamError
from vidcli.media.libav import has_decoder, read_packets, translated
from vidcli.media.pictures import open_pictures
from vidcli.media.recording import open_recording

RUN_UP_S = Fraction(1, 2)  # decoded before the stretch: codecs need some packets to be right
JUMP_S = Fraction(1, 20)  # more than containers round by: here the stream skips or repeats

Samples = NDArray[np.int16]


def read_sound(path: str, *, index: int, start: Fraction, end: Fraction) -> Samples:
    """Decode a stretch of an audio stream.

    Args:
        path: The video.
        index: Number of the stream in the container.
        start: Seconds on the video's clock, which shows 0 at its first picture; at its first
            sound where there are no pictures.
        end: After `start`; what is past the stream's end is silent.

    Returns:
        int16 (n,), one channel, `core.sound.RATE` samples a second; n is the length of the stretch.

    Raises:
        MediaError: The file cannot be opened, or this FFmpeg has no decoder for the stream.
    """
    with _open_clocked(path) as (container, origin, can_seek), translated(path):
        stream = container.streams[index]
        if not isinstance(stream, AudioStream) or not has_decoder(stream):
            raise MediaError(f"{path} has no sound that can be decoded in its stream #{index}")
        for other in container.streams:
            if other.index != index:
                other.discard = Discard.all
        if can_seek:
            wanted = max(Fraction(0), start + origin - RUN_UP_S)
            container.seek(int(wanted * av.time_base))
        tape = _Tape(start, round((end - start) * RATE))
        for packet in read_packets(container, stream):
            if packet is None:
                continue
            for frame in _decode(packet):
                time = _time_of(frame)
                if time is None:
                    continue
                if time - origin >= end:
                    tape.close()
                    return tape.samples
                tape.take(frame, time - origin)
        tape.close()
        return tape.samples


@contextmanager
def _open_clocked(path: str) -> Iterator[tuple[InputContainer, Fraction, bool]]:
    """The file, the seconds of its own clock at which ours shows 0, and whether it can be seeked.

    The clock is that of the pictures, where there are any.
    """
    with ExitStack() as stack:
        try:
            pictures = stack.enter_context(open_pictures(path))
        except NoVideoStreamError:
            recording = stack.enter_context(open_recording(path))
            yield recording.container, recording.begins, True
            return
        yield pictures.header, (pictures.origin or 0) * pictures.time_base, not pictures.piped


def _decode(packet: Any) -> list[AudioFrame]:
    """Frames of a packet; none of one that is damaged."""
    try:
        return list(packet.decode())
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        return []


def _time_of(frame: AudioFrame) -> Fraction | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return frame.pts * Fraction(frame.time_base)


class _Tape:
    """A stretch of silence on which frames are recorded where they belong.

    Attributes:
        samples: int16 (n,).
    """

    def __init__(self, start: Fraction, count: int) -> None:
        self.samples: Samples = np.zeros(count, np.int16)
        self._start = start
        self._resampler: Any = None
        self._form: tuple[str, str, int] | None = None
        self._at = 0  # the sample that comes next, counted from `start`
        self._expected = Fraction(0)  # when the next frame begins, if none is missing

    def take(self, frame: AudioFrame, time: Fraction) -> None:
        """Record a frame that begins at a time of the video's clock."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form or abs(time - self._expected) > JUMP_S:
            self.close()
            self._form = form
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            self._at = round((time - self._start) * RATE)
        self._expected = time + Fraction(frame.samples, frame.sample_rate)
        self._write(self._resampler.resample(frame))

    def close(self) -> None:
        """Record what the resampler holds back."""
        if self._resampler is not None:
            self._write(self._resampler.resample(None))
            self._resampler = None

    def _write(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            part = frame.to_ndarray().reshape(-1)
            first = max(0, -self._at)
            last = min(len(part), len(self.samples) - self._at)
            if last > first:
                self.samples[self._at + first : self._at + last] = part[first:last]
            self._at += len(part)
