"""A run tells where it stands, and guesses only from what it has seen."""

from vidcli.cli.tally import Tally


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_is_told_once_it_is_no_guess_and_without_the_loading():
    tally = Tally()
    tally.begin(10)
    tally.finish(60.0)
    assert tally.left_s is None
    tally.finish(4.0)
    tally.finish(6.0)
    assert tally.left_s == 5.0 * 7
    tally.skip()
    tally.fail()
    assert tally.left_s == 5.0 * 5


def test_the_summary_counts_everything():
    clock = Clock()
    tally = Tally(clock=clock)
    tally.begin(6)
    tally.leave()
    tally.skip()
    tally.fail()
    assert tally.say().startswith("done 0, skipped 1, failed 1, not reached 3; 0:00")
    tally.finish(2.0)
    tally.finish(3.0)
    clock.now = 83
    assert tally.say() == "done 2, skipped 1, failed 1, not reached 1; 2.5 s a video, 1:23 in all"
    assert tally.current == 5


def test_what_could_not_be_written_is_neither_done_nor_skipped():
    tally = Tally()
    tally.begin(4)
    tally.finish(1)
    tally.skip()
    tally.skip()
    tally.take_back()
    tally.fail()
    assert (tally.done, tally.skipped, tally.failed) == (1, 1, 1)
    tally.finish(1)
    tally.take_back()
    assert (tally.done, tally.skipped) == (1, 1)
