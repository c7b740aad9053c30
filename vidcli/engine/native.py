"""Start-up of llama.cpp and what crosses its edge: log lines, errors, signals.

Callbacks given to the library are module globals, since it may call them until the process ends.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

os.environ.setdefault("GGML_NO_BACKTRACE", "1")  # otherwise an abort starts a debugger

import llama_cpp.llama_cpp as llama
from llama_cpp import mtmd_cpp as mtmd

LEVEL_INFO, LEVEL_WARN, LEVEL_CONTINUE = 2, 3, 5
KEPT_LINES = 400
STOPPING = (signal.SIGINT, signal.SIGTERM)

_lines: deque[tuple[int, str]] = deque(maxlen=KEPT_LINES)
_started = threading.Lock()
_is_started = False
_stopped_by: int | None = None  # a signal that waits for native work to end
_is_uninterrupted = False
_native_s = 0.0


@llama.llama_log_callback  # type: ignore[untyped-decorator]
def _keep_log(level: int, text: bytes, _user_data: Any) -> None:
    line = text.decode("utf-8", "replace")
    if level == LEVEL_CONTINUE and _lines:
        last_level, last = _lines.pop()
        _lines.append((last_level, last + line))
    else:
        _lines.append((level, line))


@llama.ggml_abort_callback  # type: ignore[untyped-decorator]
def _abort_when_stopped(_user_data: Any) -> bool:
    return _stopped_by is not None


@llama.llama_progress_callback  # type: ignore[untyped-decorator]
def go_on_loading(_share: float, _user_data: Any) -> bool:
    """Given to llama.cpp as a model's progress callback: ends the loading that a signal stopped."""
    return _stopped_by is None


def start() -> None:
    """Bring up llama.cpp once: logs kept instead of printed, backends registered."""
    global _is_started
    with _started:
        if _is_started:
            return
        llama.llama_log_set(_keep_log, None)
        mtmd.mtmd_log_set(_keep_log, None)
        mtmd.mtmd_helper_log_set(_keep_log, None)
        llama.llama_backend_init()
        _is_started = True


def forget_log() -> None:
    """Drop kept log lines, so that what follows can be told from what came before."""
    _lines.clear()


def read_log(least_level: int = LEVEL_INFO) -> list[str]:
    """Kept native log lines of at least this level, oldest first, without line ends."""
    return [text.rstrip() for level, text in _lines if level >= least_level and text.strip()]


def explain_failure() -> str:
    """Why the last native call failed: its last warning lines in one, or a plain sentence."""
    lines = [line.strip() for line in read_log(LEVEL_WARN)]
    wanted = [line for line in lines if "error" in line.lower() or "fail" in line.lower()]
    picked = wanted[:1] or lines[-1:]
    return picked[0] if picked else "llama.cpp gave no reason"


def system_info() -> str:
    """What this build of llama.cpp can use: `CPU : SSE3 = 1 | AVX2 = 1 …`."""
    start()
    return bytes(llama.llama_print_system_info()).decode("utf-8", "replace").strip()


def supports_gpu() -> bool:
    """Whether this build of llama.cpp has any GPU backend compiled in."""
    start()
    return bool(llama.llama_supports_gpu_offload())


@contextmanager
def interruptible(context: Any = None) -> Iterator[None]:
    """Hold Ctrl-C and termination back during native work, so that both act and leave it usable.

    Their Python handlers raise, and what is raised while llama.cpp calls back (to log a line) is
    printed and lost. So the signal is only noted: between graph nodes a `llama_decode` of `context`
    asks for it and returns, loading asks too, a vision encode finishes its tile; then the handler
    that was there is called.

    Args:
        context: llama_context whose decode should stop early; None where it has no such hook.

    Raises:
        KeyboardInterrupt: Ctrl-C came; or whatever else the handler raises.
    """
    global _native_s
    started = time.perf_counter()
    with ExitStack() as stack:
        stack.enter_context(uninterrupted())
        if context is not None and threading.current_thread() is threading.main_thread():
            llama.llama_set_abort_callback(context, _abort_when_stopped, None)
            no_callback = llama.ggml_abort_callback(0)
            stack.callback(llama.llama_set_abort_callback, context, no_callback, None)
        try:
            yield
        finally:
            _native_s += time.perf_counter() - started


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a signal act after the block only: what happens in it happens whole. May be nested."""
    global _stopped_by, _is_uninterrupted
    if _is_uninterrupted or threading.current_thread() is not threading.main_thread():
        yield  # the outer block sees to it; no handler runs in another thread
        return
    handlers = {number: signal.getsignal(number) for number in STOPPING}
    ours = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in ours:  # one that is ignored, or ends the process, needs nothing of us
        signal.signal(number, _note_signal)
    _is_uninterrupted = True
    try:
        yield
    finally:
        _is_uninterrupted = False
        for number, handler in ours.items():
            signal.signal(number, handler)
        if _stopped_by is not None:
            stopped_by, _stopped_by = signal.Signals(_stopped_by), None
            ours[stopped_by](stopped_by, None)


def native_seconds() -> float:
    """Wall seconds spent inside llama.cpp so far in this process."""
    return _native_s


def _note_signal(number: int, _frame: FrameType | None) -> None:
    global _stopped_by
    _stopped_by = number
