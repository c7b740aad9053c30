"""One worker process and the parent's ends of what connects it: messages, frame ring, lifeline."""

import logging
import os
import signal
import socket
import struct
import subprocess
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from vidcli.core.child import child_command
from vidcli.errors import SetupError
from vidcli.media.jobs import CallJob, FrameJob
from vidcli.media.ring import create_ring

STARTUP_TIMEOUT_S = 60.0
CANCEL_TIMEOUT_S = 2.0  # how long a process may take to drop its job before it is replaced


class Lost(Exception):
    """The process is of no more use; the text ends the sentence "FILE …"."""


class WorkerProcess:
    """A started worker process, ready for one job after another.

    Args:
        timeout_s: Seconds without a message after which it counts as hung.
        memory_bytes: What its work may take, above the process itself (Linux).

    Attributes:
        ring: Descriptor of the shared memory; resize it only between jobs.
        is_fit: Whether it may get another job, as far as it said itself.

    Raises:
        SetupError: It cannot be started.
    """

    def __init__(self, *, timeout_s: float, memory_bytes: int) -> None:
        self._timeout_s = timeout_s
        self._closing = threading.Lock()
        self._job = 0
        self.is_fit = True  # for another job
        ours, theirs = socket.socketpair()
        self.ring = create_ring()
        try:
            numbers = theirs.fileno(), self.ring, memory_bytes
            self._child = subprocess.Popen(
                child_command("vidcli.media.worker_main", *numbers),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), self.ring),
                start_new_session=True,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        except OSError as error:
            ours.close()
            os.close(self.ring)
            raise SetupError(f"the decoder process cannot be started: {error.strerror}") from error
        finally:
            theirs.close()
        # A message that stops half-way must not hold the parent for ever.
        wait = struct.pack("ll", int(timeout_s), int(timeout_s % 1 * 1e6) or 1)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
        self._messages = Connection(ours.detach())
        self._await_start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or is stopped."""
        return self._child.poll() is None

    def _await_start(self) -> None:
        try:
            kind, _ = self._receive(STARTUP_TIMEOUT_S)
            assert kind == "ready"
        except Lost as error:
            self.close()
            raise SetupError(f"the decoder process did not start: it {error}") from error

    def begin(self, job: FrameJob | CallJob) -> None:
        """Hand it a job; what earlier ones still say is dropped."""
        self._job += 1
        self.send("job", job)

    def send(self, kind: str, content: Any) -> None:
        """Say something about the running job."""
        try:
            self._messages.send((self._job, kind, content))
        except OSError as error:
            raise self._lost() from error

    def receive(self) -> tuple[str, Any]:
        """The next message of the job: its kind and its content.

        Raises:
            Lost: The process crashed, was killed, or said nothing for too long.
        """
        while True:
            kind, content = self._receive(self._timeout_s)
            if kind == "log":
                level, name, text = content
                logging.getLogger(__name__).info(
                    "%s %s: %s", logging.getLevelName(level), name, text
                )
                continue
            self.is_fit = self.is_fit and kind != "fatal"
            return kind, content

    def _receive(self, timeout_s: float) -> tuple[str, Any]:
        try:
            while self._messages.poll(timeout_s):
                job, kind, content = self._messages.recv()
                if job == self._job:
                    return kind, content
        except (EOFError, OSError) as error:
            if not isinstance(error, BlockingIOError):
                raise self._lost() from error
        raise Lost(f"gave no sign of life for {timeout_s:g} s and was stopped")

    def _lost(self) -> Lost:
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(CANCEL_TIMEOUT_S)
        code = self._child.returncode
        if code is None or code >= 0:
            return Lost("ended its process")
        if code == -signal.SIGKILL:
            return Lost("had its process killed")
        return Lost(f"crashed its process ({signal.Signals(-code).name})")

    def cancel(self) -> bool:
        """Drop the running job; whether the process is ready for another one."""
        try:
            self.send("cancel", None)
            while True:
                kind, _ = self._receive(CANCEL_TIMEOUT_S)
                if kind in ("cancelled", "result", "error", "fatal"):
                    return True
        except Lost:
            return False

    def close(self) -> None:
        """Kill it, and an ffmpeg that it runs; idempotent, from any thread."""
        if self._child.poll() is None:
            with suppress(ProcessLookupError, PermissionError):  # it ended just now
                os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        with self._closing:  # who waited for it and who ends the run may both come here
            if not self._messages.closed:
                self._messages.close()
                os.close(self.ring)
            if self._child.stdin is not None:
                self._child.stdin.close()
