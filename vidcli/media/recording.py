"""The sound of a file that holds no pictures: a recording, a podcast, music with a cover.

Its clock shows 0 where the first of its streams begins. Not here: reading samples (`sound`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

from av.audio.stream import AudioStream
from av.container import InputContainer

from vidcli.errors import MediaError
from vidcli.media.source import open_source
from vidcli.media.streams import claimed_duration, to_time_base


@dataclass(slots=True)
class Recording:
    """One open file of sound.

    Attributes:
        path: As the user gave it.
        container: The file.
        stream: The audio stream that lasts longest.
        begins: Seconds of the container's clock at which that of the recording shows 0.
    """

    path: str
    container: InputContainer
    stream: AudioStream
    begins: Fraction

    @property
    def time_base(self) -> Fraction:
        """Seconds of one tick of `stream`, and of `origin`."""
        return to_time_base(self.stream)

    @property
    def origin(self) -> int:
        """PTS of `stream` at which the clock shows 0."""
        return round(self.begins / self.time_base)


@contextmanager
def open_recording(path: str) -> Iterator[Recording]:
    """Open a file that holds no pictures.

    Raises:
        MediaError: It cannot be opened, or holds no sound either.
    """
    with open_source(path) as container:
        streams = container.streams.audio
        if not streams:
            raise MediaError(f"{path} holds nothing to see or hear")
        longest = max(streams, key=lambda stream: claimed_duration(stream) or Fraction(0))
        yield Recording(path, container, longest, min(map(_start_of, streams)))


def _start_of(stream: AudioStream) -> Fraction:
    return (stream.start_time or 0) * to_time_base(stream)
