"""A signal that comes while llama.cpp works or logs acts when it is safe, and is never lost."""

import signal
from collections import deque
from collections.abc import Iterator
from types import FrameType

import numpy as np
import pytest
from llama_cpp import mtmd_cpp

from tests.pairs import PairCache, load
from vidcli.core.model import Detail
from vidcli.engine import native


class Stopped(Exception):
    """What the handler of SIGTERM raises here."""


@pytest.fixture
def terminated() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    before = signal.signal(signal.SIGTERM, stop)
    yield
    signal.signal(signal.SIGTERM, before)


class SignallingLog(deque[tuple[int, str]]):
    """Log lines, the `nth` of which comes with a signal: while llama.cpp is calling back."""

    def __init__(self, number: signal.Signals, nth: int) -> None:
        super().__init__()
        self._number = number
        self._left = nth

    def append(self, line: tuple[int, str]) -> None:
        super().append(line)
        self._left -= 1
        if self._left == 0:
            signal.raise_signal(self._number)


@pytest.mark.usefixtures("terminated")
@pytest.mark.parametrize("nth", [1, 40, -30, -10])
@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Stopped)]
)
def test_a_signal_in_the_middle_of_a_log_line_stops_loading(
    nth: int,
    number: signal.Signals,
    raised: type[BaseException],
    pairs: PairCache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pair = pairs.get("tiny-idefics3")
    lines: deque[tuple[int, str]] = SignallingLog(number, 0)
    monkeypatch.setattr(native, "_lines", lines)
    monkeypatch.setattr(native, "forget_log", lambda: None)
    with load(pair):
        total = len(lines)
    assert total > 80
    monkeypatch.setattr(native, "_lines", SignallingLog(number, nth % total))
    with pytest.raises(raised):
        load(pair)
    with load(pair) as session:
        assert session.encode([np.zeros((128, 128, 3), np.uint8)]).n_tokens == 16


def test_an_interrupt_stops_between_the_tiles_of_one_frame(
    pairs: PairCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, encoded = mtmd_cpp.mtmd_encode_chunk, []

    def encode_and_interrupt(*args: object) -> int:
        encoded.append(args)
        signal.raise_signal(signal.SIGINT)
        return int(encode(*args))

    with load(pairs.get("tiny-idefics3"), detail=Detail.HIGH, n_ctx=4096) as session:
        frame = [np.zeros((*reversed(session.frame_size((640, 360))), 3), np.uint8)]
        monkeypatch.setattr(mtmd_cpp, "mtmd_encode_chunk", encode_and_interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.encode(frame)
    assert len(encoded) == 1


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with native.interruptible():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
