"""What a worker process is asked to do. Importing this loads no native library."""

from dataclasses import dataclass, field
from typing import Any

from vidcli.core.media import FramePlan, VideoInfo

OPERATIONS = {
    "probe": ("vidcli.media.probe", "probe"),
    "fingerprint": ("vidcli.media.fingerprint", "fingerprint"),
    "shots": ("vidcli.media.shots", "detect_shots"),
    "keyframes": ("vidcli.media.shots", "list_keyframes"),
    "sound": ("vidcli.media.sound", "read_sound"),
    "subtitle_file": ("vidcli.media.subtitles", "read_subtitle_file"),
    "subtitle_stream": ("vidcli.media.subtitles", "read_subtitle_stream"),
}
"""What `DecoderWorker.call` can do: functions of a path and keyword options, by module and name.
What they return must pickle; an iterator is exhausted into a list."""


@dataclass(frozen=True, slots=True)
class CallJob:
    """One of `OPERATIONS`, on a file."""

    operation: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FrameJob:
    """Frames to decode into the ring.

    Attributes:
        info: From `probe`.
        plan: What to decode.
        size: Exact (width, height).
        slots: How many frames the ring holds.
        slot_bytes: Of how many bytes each.
    """

    info: VideoInfo
    plan: FramePlan
    size: tuple[int, int]
    slots: int
    slot_bytes: int

    @property
    def path(self) -> str:
        """The file."""
        return self.info.path
