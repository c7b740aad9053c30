"""One opened video: what it is, its frames at planned instants, what was wrong with it."""

from collections.abc import Iterator
from functools import cached_property

from vidcli.core.media import Frame, FramePlan, VideoInfo
from vidcli.errors import MediaError
from vidcli.media.worker import DecoderWorker


class Video:
    """A `core.protocols.FrameSource` whose decoding happens in a worker process.

    Args:
        info: From `probe`.
        worker: Decodes; it stays the caller's to close.
    """

    def __init__(self, info: VideoInfo, worker: DecoderWorker) -> None:
        self._info = info
        self._worker = worker
        self._warnings: dict[str, None] = dict.fromkeys(info.warnings)

    @property
    def info(self) -> VideoInfo:
        """What probing found."""
        return self._info

    @property
    def warnings(self) -> tuple[str, ...]:
        """What probing and decoding found wrong so far, one sentence each, none twice."""
        return tuple(self._warnings)

    @cached_property
    def fingerprint(self) -> str:
        """Hex digits that name the content, whatever the file is called."""
        return str(self._worker.call("fingerprint", self._info.path))

    def frames(self, plan: FramePlan, *, size: tuple[int, int] | None = None) -> Iterator[Frame]:
        """Decode the planned instants, in order, a few frames ahead of whoever takes them.

        Args:
            plan: Instants to decode.
            size: Exact (width, height) to scale to; None keeps the displayed size.

        Yields:
            At most one frame for each instant, each with the PTS it really has. Instants that show
            the same frame get it once; an instant past the end of the pictures gets none.

        Raises:
            MediaError: Nothing could be decoded, or the decoder crashed, hung or ballooned.
        """
        return self._worker.frames(self._info, plan, size=size, warn=self._warn)

    def _warn(self, sentence: str) -> None:
        self._warnings.setdefault(sentence)


def open_video(path: str, worker: DecoderWorker, *, sound_too: bool = False) -> Video:
    """Probe the file and return it ready to be watched.

    Args:
        path: The file.
        worker: Reads it.
        sound_too: Whether a file without pictures will do.

    Raises:
        NoVideoStreamError: It holds no pictures, or only a cover, and sound will not do.
        MediaError: It is no video, or the decoder crashed, hung or ballooned.
    """
    info = worker.call("probe", path, sound_too=sound_too)
    if not isinstance(info, VideoInfo):
        raise MediaError(f"{path} could not be probed")
    return Video(info, worker)
