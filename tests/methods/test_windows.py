"""Clips leave nothing of a video out, whatever people labelled of it."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.time import Span
from vidcli.methods.windows import Label, find_gaps, measure_share, plan_clips, slide

TENTHS = st.integers(0, 1200).map(lambda n: Fraction(n, 10))
FIVE = Fraction(5)


def span(start: float, end: float) -> Span:
    return Span(Fraction(str(start)), Fraction(str(end)))


@st.composite
def labels(draw: st.DrawFn) -> list[Label]:
    edges = draw(st.lists(st.tuples(TENTHS, TENTHS), max_size=30))
    return [Label(Span(min(a, b), max(a, b) + Fraction(1, 10)), ("x",)) for a, b in edges]


@given(
    length=st.integers(1, 1200).map(lambda n: Fraction(n, 10)),
    labelled=labels(),
    window=st.integers(1, 200).map(lambda n: Fraction(n, 10)),
    part=st.integers(1, 4),
)
def test_clips_cover_at_least_95_percent_of_the_timeline(length, labelled, window, part):
    """LaViLa: clips cover at least 95 % of the timeline, whatever was labelled."""
    whole = Span(Fraction(0), length)
    clips = plan_clips(whole, labelled, window=window, stride=window / part)
    assert measure_share(whole, [clip.span for clip in clips]) >= Fraction(95, 100)
    assert all(whole.start <= clip.span.start < clip.span.end <= whole.end for clip in clips)
    assert [clip.span.start for clip in clips] == sorted(clip.span.start for clip in clips)


@given(length=st.integers(1, 5000), part=st.integers(1, 4))
def test_windows_leave_no_instant_out_and_are_no_longer_than_they_may_be(length, part):
    whole = Span(Fraction(0), Fraction(length, 100))
    spans = slide(whole, window=FIVE, stride=FIVE / part)
    assert measure_share(whole, spans) == 1
    assert all(found.length <= FIVE * Fraction(5, 4) for found in spans)
    assert len({found.start for found in spans}) == len(spans)
    if whole.length > FIVE:
        assert all(found.length >= FIVE for found in spans)


def test_windows_stand_where_one_expects_them():
    assert slide(span(0, 12), window=FIVE, stride=FIVE) == [span(0, 5), span(5, 10), span(7, 12)]
    assert slide(span(0, 11), window=FIVE, stride=FIVE) == [span(0, 5), span(5, 11)]
    assert slide(span(1, 4), window=FIVE, stride=FIVE) == [span(1, 4)]
    half = slide(span(0, 10), window=FIVE, stride=Fraction(5, 2))
    assert half == [span(0, 5), span(2.5, 7.5), span(5, 10)]


def test_labelled_stretches_are_clips_with_their_texts_and_gaps_are_filled():
    said = [Label(span(4, 6), ("a dog",)), Label(span(4, 6), ("a hound", "a dog"))]
    clips = plan_clips(
        span(0, 20), [*said, Label(span(18, 25), ("end",))], window=FIVE, stride=FIVE
    )
    assert [(clip.span, clip.texts) for clip in clips] == [
        (span(0, 4), ()),
        (span(4, 6), ("a dog", "a hound")),
        (span(6, 11), ()),
        (span(11, 16), ()),
        (span(13, 18), ()),
        (span(18, 20), ("end",)),
    ]


def test_a_caption_of_the_whole_video_fills_no_gap():
    clips = plan_clips(span(0, 30), [Label(span(0, 30), ("all",))], window=FIVE, stride=FIVE)
    assert [clip.span for clip in clips if clip.is_labelled] == [span(0, 30)]
    assert len([clip for clip in clips if not clip.is_labelled]) == 6


def test_slivers_between_labels_get_no_clip_while_they_are_few():
    near = [Label(span(start, start + 4.9), ("x",)) for start in range(0, 100, 5)]
    clips = plan_clips(span(0, 100), near, window=FIVE, stride=FIVE)
    assert all(clip.is_labelled for clip in clips)
    wide = [Label(span(start, start + 4.5), ("x",)) for start in range(0, 100, 5)]
    clips = plan_clips(span(0, 100), wide, window=FIVE, stride=FIVE)
    assert sum(not clip.is_labelled for clip in clips) == 16  # 2 seconds in all may go untold


def test_gaps_of_overlapping_spans():
    taken = [span(2, 5), span(1, 3), span(7, 8)]
    assert find_gaps(span(0, 10), taken) == [span(0, 1), span(5, 7), span(8, 10)]
    assert find_gaps(span(0, 10), [span(0, 10)]) == []
