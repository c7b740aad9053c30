"""Running the ffmpeg program: a system one where it can do the job, else the one that is carried.

ffmpeg-python only writes the argument list; the process is ours: no terminal input, out of reach of
the terminal's Ctrl-C, standard error drained and kept, killed with its children when the block is
left.
"""

import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from vidcli.errors import MediaError, SetupError

KEPT_LINES = 20
GRACE_S = 5.0

_group: int | None = 0  # process group of the programs: 0 is one of their own, None is ours


def join_our_group() -> None:
    """Let programs belong to this process's group, so that whoever kills it kills them too."""
    global _group
    _group = None


def programs() -> tuple[str, ...]:
    """Paths of the ffmpeg programs to try, in this order: the system's, the carried one.

    Raises:
        SetupError: There is neither.
    """
    found = [path for path in (shutil.which("ffmpeg"), _carried()) if path]
    if not found:
        raise SetupError("no ffmpeg program was found", hint="pip install imageio-ffmpeg")
    return tuple(dict.fromkeys(found))


def read_version() -> str:
    """What the first of the programs calls itself, such as `7.0.2-static`.

    Raises:
        SetupError: There is none, or it cannot be started.
    """
    try:
        said = subprocess.run(
            [programs()[0], "-version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"the ffmpeg program cannot be run: {error}") from error
    return said.split("version ", 1)[-1].split(" ", 1)[0]


def _carried() -> str | None:
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:  # a platform that it carries nothing for
        return None


def arguments(stream: Any, *, program: str) -> list[str]:
    """The command line for an ffmpeg-python output node: never asks, says only what went wrong."""
    built: Sequence[str] = stream.compile(cmd=program)
    return [program, "-nostdin", "-hide_banner", "-loglevel", "error", *built[1:]]


def run(stream: Any, *, timeout_s: float, program: str | None = None) -> bytes:
    """Run ffmpeg to its end and return what it wrote to standard output.

    Args:
        stream: An ffmpeg-python output node.
        timeout_s: Seconds after which it is killed.
        program: Path of the program; the first of `programs()` by default.

    Raises:
        MediaError: It failed, or took longer than `timeout_s`; the message quotes its last words.
    """
    with (
        piped(stream, program=program or programs()[0]) as (output, process),
        _ending(process, timeout_s),
    ):
        written = output.read()
    return written


def feed(stream: Any, pieces: Iterable[bytes], *, timeout_s: float) -> None:
    """Run ffmpeg to its end on what it reads from its standard input (`pipe:0`).

    Args:
        stream: An ffmpeg-python output node, whose output is a file.
        pieces: What it reads; made while it works.
        timeout_s: Seconds after which it is killed.

    Raises:
        MediaError: It failed, or took longer than `timeout_s`; the message quotes its last words.
    """
    with (
        piped(stream, program=programs()[0], is_fed=True) as (_, process),
        _ending(process, timeout_s),
    ):
        assert process.child.stdin is not None
        with suppress(BrokenPipeError):  # it has failed, and says why
            for piece in pieces:
                process.child.stdin.write(piece)
            process.child.stdin.close()


@contextmanager
def _ending(process: "Program", timeout_s: float) -> Iterator[None]:
    """Wait, after the block, for a program that may take so long in all, and must succeed."""
    timer = threading.Timer(timeout_s, lambda: _kill(process.child))
    timer.start()
    try:
        yield
        code = process.child.wait()
    finally:
        in_time = timer.is_alive()
        timer.cancel()
        timer.join()
    if code != 0:
        cause = process.last_words() if in_time else f"no end after {timeout_s:g} s"
        raise MediaError(f"ffmpeg failed: {cause}")


class Program:
    """A running ffmpeg, and the last lines it wrote to standard error."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self.child = child
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._drain = threading.Thread(target=self._read_errors, daemon=True)
        self._drain.start()

    def _read_errors(self) -> None:
        assert self.child.stderr is not None
        for line in self.child.stderr:
            self._lines.append(line.decode(errors="replace").strip())

    def last_words(self) -> str:
        """What it complained of last, on one line."""
        self._drain.join(GRACE_S)
        return self._lines[-1] if self._lines else f"exit code {self.child.returncode}"

    def close(self) -> None:
        """Kill it if it still runs, and wait for it."""
        if self.child.poll() is None:
            _kill(self.child)
        self.child.wait()
        self._drain.join(GRACE_S)
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):  # what was not read any more
                    pipe.close()


@contextmanager
def piped(
    stream: Any, *, program: str, is_fed: bool = False
) -> Iterator[tuple[IO[bytes], Program]]:
    """Run ffmpeg inside the block, its standard output to be read; it does not outlive the block.

    Args:
        stream: An ffmpeg-python output node.
        program: Path of the program.
        is_fed: Whether it reads its standard input, which is then a pipe; else it has none.

    Raises:
        SetupError: The program cannot be started.
    """
    try:
        child = subprocess.Popen(
            arguments(stream, program=program),
            stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=_group,
        )
    except OSError as error:
        raise SetupError(f"{program} cannot be started: {error.strerror}") from error
    running = Program(child)
    try:
        assert child.stdout is not None
        yield child.stdout, running
    finally:
        running.close()


def _kill(child: "subprocess.Popen[bytes]") -> None:
    if _group is None:
        child.kill()
        return
    with suppress(ProcessLookupError):  # it may have ended by itself just now
        os.killpg(child.pid, signal.SIGKILL)
