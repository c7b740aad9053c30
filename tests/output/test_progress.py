"""Progress is one line on a terminal, gone when the work is, and nothing elsewhere."""

import io

import pytest

from vidcli.output.progress import CLEAR_LINE, NoProgress, ProgressLine, open_progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


def test_it_tells_the_phase_how_far_it_is_and_what_is_left(screen: io.StringIO, clock: Clock):
    progress = ProgressLine(screen, clock=clock)
    progress("encode", 0, 16)
    clock.now += 4
    progress("encode", 4, 16)
    assert screen.getvalue() == f"{CLEAR_LINE}encode 0/16{CLEAR_LINE}encode 4/16, 0:12 left"


def test_each_phase_is_timed_by_itself(screen: io.StringIO, clock: Clock):
    progress = ProgressLine(screen, clock=clock)
    progress("encode", 4, 4)
    clock.now += 60
    progress("prefill", 100, 300)
    clock.now += 2
    progress("prefill", 200, 300)
    assert screen.getvalue().endswith("prefill 200/300, 0:02 left")


def test_it_is_not_redrawn_faster_than_one_can_see(screen: io.StringIO, clock: Clock):
    progress = ProgressLine(screen, clock=clock)
    for done in range(1000):
        clock.now += 0.001
        progress("decode", done, 1000)
    assert 5 <= screen.getvalue().count(CLEAR_LINE) <= 11


def test_the_line_is_gone_when_the_work_fails(screen: io.StringIO, clock: Clock):
    def fail() -> None:
        with ProgressLine(screen, clock=clock) as progress:
            progress("decode", 1, 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert screen.getvalue().endswith(CLEAR_LINE)


def test_a_line_that_was_never_drawn_is_not_cleared(screen: io.StringIO, clock: Clock):
    with ProgressLine(screen, clock=clock):
        pass
    assert screen.getvalue() == ""


def test_nobody_watching_means_nothing_written(
    screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.stderr", screen)
    with open_progress() as progress:
        progress("decode", 1, 2)
    assert isinstance(progress, NoProgress)
    assert screen.getvalue() == ""


def test_large_numbers_are_told_as_a_share(screen: io.StringIO, clock: Clock):
    progress = ProgressLine(screen, clock=clock)
    progress("hash", 1_500_000_000, 2_000_000_000)
    assert screen.getvalue() == f"{CLEAR_LINE}hash 75 %"
