"""A video whose frames are decoded before anyone asks for them, beside other work."""

import contextlib
import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue

from vidcli.core.media import Frame, FramePlan, VideoInfo
from vidcli.media.video import Video
from vidcli.media.worker import DecoderWorker

HELD_BYTES = 128 * 1024**2  # of decoded frames that wait to be taken
POLL_S = 0.05


class AheadVideo(Video):
    """A `Video` that can start decoding early; `close` ends what nobody took.

    Args:
        info: From `probe`.
        worker: Decodes; it stays the caller's to close.
        fingerprint: Of the content.
    """

    def __init__(self, info: VideoInfo, worker: DecoderWorker, fingerprint: str) -> None:
        super().__init__(info, worker)
        self.__dict__["fingerprint"] = fingerprint  # known already: not read again
        self._ahead: _Ahead | None = None

    def start(self, plan: FramePlan, *, size: tuple[int, int]) -> None:
        """Begin to decode a plan in a thread of its own; `frames` then gives what it has."""
        if self._ahead is None:
            self._ahead = _Ahead(super().frames(plan, size=size), plan, size)

    def frames(self, plan: FramePlan, *, size: tuple[int, int] | None = None) -> Iterator[Frame]:
        """Decode the planned instants; those begun by `start` once, without waiting."""
        ahead = self._ahead
        if ahead is None or ahead.wanted != (plan.frames, size):
            return super().frames(plan, size=size)
        self._ahead = None
        return ahead.take()

    def close(self) -> None:
        """Stop decoding ahead; idempotent."""
        if self._ahead is not None:
            self._ahead.stop()
            self._ahead = None


class _Ahead:
    """Frames on their way from a thread, a bounded number at a time."""

    def __init__(self, frames: Iterator[Frame], plan: FramePlan, size: tuple[int, int]) -> None:
        self.wanted = (plan.frames, size)
        room = max(2, HELD_BYTES // (size[0] * size[1] * 3))
        self._queue: Queue[Frame | BaseException | None] = Queue(room)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._fill, args=(frames,), daemon=True)
        self._thread.start()

    def _fill(self, frames: Iterator[Frame]) -> None:
        try:
            for frame in frames:
                if not self._put(frame):
                    return
            self._put(None)
        except BaseException as error:  # noqa: BLE001  # raised where the frames are taken
            self._put(error)
        finally:
            getattr(frames, "close", lambda: None)()

    def _put(self, item: Frame | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=POLL_S)
            except Full:
                continue
            return True
        return False

    def take(self) -> Iterator[Frame]:
        """The frames in order; closing the iterator early drops the rest."""
        try:
            while True:
                item = self._queue.get()
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self.stop()

    def stop(self) -> None:
        """End the thread and drop what it holds."""
        self._stopped.set()
        while self._thread.is_alive():
            with contextlib.suppress(Empty):
                self._queue.get_nowait()
            self._thread.join(POLL_S)
