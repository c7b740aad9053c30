"""Lines are followed from look to look: typed, scrolled, misread, replaced."""

from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.screen import ScreenLine, TextPlace
from vidcli.methods.screen_lines import FORGIVEN, Follower, overlap


def place(top: float, *, left: float = 10, width: float = 200) -> TextPlace:
    right, bottom = left + width, top + 20
    return TextPlace(((left, top), (right, top), (right, bottom), (left, bottom)))


def line(text: str, top: float = 10, *, sure: float = 0.9) -> ScreenLine:
    return ScreenLine(text, place(top), sure)


def follow(*looks: list[ScreenLine] | None) -> Follower:
    """Looks in order; None is one at which nothing has changed."""
    follower = Follower()
    for number, lines in enumerate(looks):
        if lines is None:
            follower.stand(number)
        else:
            follower.follow(number, lines)
    return follower


def spans(follower: Follower) -> list[tuple[str, int, int]]:
    return [(track.choose().text, track.first, track.last) for track in follower.tracks]


def test_a_line_that_stays_is_one_line():
    assert spans(follow([line("hello")], None, [line("hello")])) == [("hello", 0, 2)]


def test_a_line_that_is_typed_is_one_line_and_says_all_of_it():
    typed = [[line(text)] for text in ("$", "$ git", "$ git st", "$ git status")]
    assert spans(follow(*typed)) == [("$ git status", 0, 3)]


def test_a_line_that_scrolls_is_one_line():
    looks = [[line("first line of all", top)] for top in (110, 60, 10)]
    assert spans(follow(*looks)) == [("first line of all", 0, 2)]


def test_a_slide_that_replaces_another_in_the_same_place_is_another_line():
    found = follow([line("Quarterly results")], [line("Thank you")])
    assert spans(found) == [("Quarterly results", 0, 0), ("Thank you", 1, 1)]


def test_a_number_that_changes_is_another_line():
    found = follow([line("page 1 of 9")], [line("page 2 of 9")])
    assert spans(found) == [("page 1 of 9", 0, 0), ("page 2 of 9", 1, 1)]


def test_the_reading_that_stood_longest_is_the_text():
    found = follow([line("hallo world", sure=0.99)], [line("hello world")], None)
    assert spans(found) == [("hello world", 0, 2)]
    assert found.tracks[0].choose().confidence == 0.9


def test_a_line_that_is_missed_at_a_look_goes_on():
    assert spans(follow([line("hello")], [], [line("hello")])) == [("hello", 0, 2)]


def test_a_line_that_comes_back_much_later_is_another():
    gone: list[list[ScreenLine]] = [[]] * FORGIVEN
    found = follow([line("hello")], *gone, [line("hello")])
    assert spans(found) == [("hello", 0, 0), ("hello", FORGIVEN + 1, FORGIVEN + 1)]


def test_a_line_that_is_gone_does_not_stand():
    assert spans(follow([line("hello")], [], None)) == [("hello", 0, 0)]


def test_two_equal_lines_stay_two():
    two = [line("item", 10), line("item", 100)]
    found = follow(two, two)
    assert spans(found) == [("item", 0, 1), ("item", 0, 1)]
    assert [track.latest.place for track in found.tracks] == [place(10), place(100)]


def test_overlap_is_the_part_of_the_smaller_line():
    assert overlap(place(0), place(10)) == 0.5
    assert overlap(place(0), place(20)) == 0
    assert overlap(place(0), place(0, width=20)) == 1


texts = st.lists(st.sampled_from(["alpha one", "beta two", "gamma", "12:30"]), max_size=3)


@given(st.lists(texts, min_size=1, max_size=8))
def test_every_line_of_every_look_is_in_exactly_one_track(looks: list[list[str]]):
    found = follow(*([line(text, 30.0 * row) for row, text in enumerate(look)] for look in looks))
    seen = [0] * len(looks)
    for track in found.tracks:
        assert 0 <= track.first <= track.last < len(looks)
        assert sum(times for _, times in track.readings) <= track.last - track.first + 1
        for number in range(track.first, track.last + 1):
            seen[number] += 1
    assert all(count >= len(look) for count, look in zip(seen, looks, strict=True))
