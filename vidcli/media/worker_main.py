"""The worker process: does one piece of work after another until its parent is gone.

Started by `worker` with three descriptors: a socket for messages, the frame ring, and standard
input as a lifeline, which reaches its end when the parent is gone, even where it was killed.
Messages are (job, kind, content); those of a job that is over are dropped.
"""

import contextlib
import errno
import importlib
import logging
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.connection import Connection
from typing import Any

from vidcli.core.media import Frame
from vidcli.errors import MediaError, VidcliError
from vidcli.media import ffmpeg
from vidcli.media.decode import decode_plan
from vidcli.media.jobs import OPERATIONS, CallJob, FrameJob
from vidcli.media.pulse import heard_by
from vidcli.media.ring import Ring

ALIVE_EVERY_S = 0.25
LISTEN_EVERY_S = 0.05
SHORT_BYTES = 64 * 1024**2
STARVING = ("get_buffer() failed", "allocate memory")  # FFmpeg says "Cannot" and "Could not"
LOG_LINES_MAX = 20  # of one job; a damaged file complains of every packet


class Cancelled(BaseException):
    """The parent wants this job no more."""


def main(messages: int, ring: int, memory_bytes: int) -> None:
    """Serve until the parent closes its end.

    Args:
        messages: Descriptor of the socket to the parent.
        ring: Descriptor of the shared memory for frames.
        memory_bytes: Address space that the work may add to what the process has now.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    ffmpeg.join_our_group()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _Server(Connection(messages), ring, _limit_memory(memory_bytes)).serve()


def _die_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # the parent never writes: this returns when it is gone
    os.killpg(0, signal.SIGKILL)  # with a running ffmpeg


@dataclass(frozen=True, slots=True)
class _Memory:
    """The address space this process may have, in bytes; None where the system sets no bound."""

    limit: int | None
    added: int

    def is_short(self) -> bool:
        """Whether so little is left that a failed allocation is explained by it."""
        if self.limit is None:
            return False
        return self.limit - _address_space() < max(self.added // 2, SHORT_BYTES)


def _limit_memory(added_bytes: int) -> _Memory:
    """Bound the address space, where the system can; and leave no core file behind."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return _Memory(None, added_bytes)  # macOS accepts the limit and does not enforce it
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _address_space() + added_bytes
    limit = min(limit, hard) if hard != resource.RLIM_INFINITY else limit
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    return _Memory(limit, added_bytes)


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


class _Server:
    """The child's end of the conversation."""

    def __init__(self, messages: Connection, ring: int, memory: _Memory) -> None:
        self._messages = messages
        self._memory = memory
        self._is_starved = False
        self._ring_descriptor = ring
        self._job = 0
        self._free: list[int] = []
        self._done: Fraction | None = None
        self._last_alive = self._last_listen = 0.0
        self._log_lines = 0
        logger = logging.getLogger()
        logger.addHandler(_Forward(self))

    def serve(self) -> None:
        self._send("ready", os.getpid())
        while True:
            try:
                job, kind, content = self._messages.recv()
            except (EOFError, OSError):
                return
            if kind == "job":
                self._job, self._free, self._done, self._log_lines = job, [], None, 0
                self._work(content)

    def _work(self, job: FrameJob | CallJob) -> None:
        result = None
        try:
            with heard_by(self._beat):
                if isinstance(job, CallJob):
                    result = self._call(job)
                else:
                    self._decode(job)
            self._send("result", result)
        except Cancelled:
            self._send("cancelled", None)
        except VidcliError as error:
            self._is_starved |= isinstance(error.__cause__, MemoryError)
            self._fail(job, error.with_traceback(None))
        except Exception as error:  # noqa: BLE001  # whatever a broken file provokes costs that file
            self._send("log", (logging.ERROR, __name__, traceback.format_exc()))
            is_oserror = isinstance(error, OSError) and error.errno == errno.ENOMEM
            self._is_starved |= is_oserror or isinstance(error, MemoryError)
            cause = f"{type(error).__name__}: {error}"
            self._fail(job, MediaError(f"{job.path} makes the decoder fail ({cause})"))

    def _fail(self, job: FrameJob | CallJob, error: VidcliError) -> None:
        """Report the end of a job; a process that ran out of memory should get no other one."""
        if not self._is_starved:
            self._send("error", error)
            return
        allowed = f"{self._memory.added // 1024**2} MiB"
        sentence = f"{job.path} needs more memory than the {allowed} its decoder may have"
        self._send("fatal", MediaError(sentence))

    def _call(self, job: CallJob) -> Any:
        module, name = OPERATIONS[job.operation]
        result = getattr(importlib.import_module(module), name)(job.path, **job.options)
        return list(result) if isinstance(result, Iterable) and hasattr(result, "send") else result

    def _decode(self, job: FrameJob) -> None:
        self._free = list(range(job.slots))
        with Ring(self._ring_descriptor, slots=job.slots, slot_bytes=job.slot_bytes) as ring:
            for frame in decode_plan(job.info, job.plan, size=job.size, warn=self._warn):
                slot = self._wait_for_slot()
                ring.write(slot, frame.image)
                self._send("frame", (slot, frame.image.shape, _facts(frame)))

    def _warn(self, sentence: str) -> None:
        self._send("warning", sentence)

    def _wait_for_slot(self) -> int:
        while not self._free:
            self._listen(timeout_s=None)
        return self._free.pop()

    def _beat(self, done: Fraction | None) -> None:
        if self._is_starved:
            raise MemoryError
        self._done = done if done is not None else self._done
        now = time.monotonic()
        if now - self._last_listen >= LISTEN_EVERY_S:
            self._last_listen = now
            self._listen(timeout_s=0)
        if now - self._last_alive >= ALIVE_EVERY_S:
            self._last_alive = now
            self._send("alive", self._done)

    def _listen(self, *, timeout_s: float | None) -> None:
        """Take in what the parent says; with None, wait until it says something."""
        while self._messages.poll(timeout_s):
            job, kind, content = self._messages.recv()
            if job != self._job:
                continue
            if kind == "cancel":
                raise Cancelled
            self._free.append(content)
            timeout_s = 0

    def _send(self, kind: str, content: Any) -> None:
        try:
            self._messages.send((self._job, kind, content))
        except OSError:
            os._exit(0)  # the parent is gone

    def take_log(self, record: logging.LogRecord) -> None:
        """Send a log line to the parent, the first few of each job."""
        text = record.getMessage()
        if any(sign in text for sign in STARVING) and self._memory.is_short():
            self._is_starved = True  # the decoder itself would go on, without the picture
        self._log_lines += 1
        if self._log_lines <= LOG_LINES_MAX:
            self._send("log", (record.levelno, record.name, text))


class _Forward(logging.Handler):
    def __init__(self, server: _Server) -> None:
        super().__init__()
        self._server = server

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):  # a log line is never worth a job
            self._server.take_log(record)


def _facts(frame: Frame) -> tuple[Any, Fraction, bool]:
    return frame.time, frame.wanted, frame.is_keyframe
