"""Vid2Seq: random parts of a video, whose events are in the part's own time."""

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("peft", reason="needs the extra 'train'")

from vidcli.core.time import Span
from vidcli.methods.time_tokens import TimedText, parse_events
from vidcli.train.corpus import Item, draw
from vidcli.train.crop import Timeline, choose_part, crop_clip, crop_events
from vidcli.train.frames import make_clip

pytestmark = pytest.mark.train

TEN = Fraction(10)
EVENTS = tuple(TimedText(Fraction(n), Fraction(n + 1), f"word{n}") for n in range(10))


def clip(n: int = 10):
    """Frame `k` of `n` is of brightness `k`, at the middle of its equal part of ten seconds."""
    frames = np.arange(n, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    times = [TEN * (2 * k + 1) / (2 * n) for k in range(n)]
    return make_clip(frames, times, duration=TEN)


@given(st.integers(1, 64), st.integers(0, 999))
def test_a_part_is_at_least_half_of_the_frames(n, seed):
    start, stop = choose_part(n, random.Random(seed))
    assert 0 <= start < stop <= n
    assert stop - start >= max(1, round(n / 2))


@given(st.data())
def test_frames_of_a_part_keep_their_distances_and_lie_inside(data):
    n = data.draw(st.integers(1, 12))
    start = data.draw(st.integers(0, n - 1))
    stop = data.draw(st.integers(start + 1, n))
    part, span = crop_clip(clip(n), (start, stop), TEN)
    assert part.pixels[:, 0, 0, 0, 0].tolist() == list(range(start, stop))
    assert part.duration == span.end - span.start
    times = [group[0].time.seconds for group in part.shown]
    assert all(0 <= time < part.duration for time in times)
    whole = [group[0].time.seconds for group in clip(n).shown]
    for ours, theirs in zip(times, whole[start:stop], strict=True):
        assert abs(ours + span.start - theirs) <= Fraction(1, 90_000)
    assert (span == Span(Fraction(0), TEN)) == (start == 0 and stop == n)


def test_events_are_cut_to_the_part_and_moved_into_its_time():
    span = Span(Fraction(5, 2), Fraction(6))
    cut = crop_events(EVENTS, span)
    assert [event.text for event in cut] == ["word2", "word3", "word4", "word5"]
    assert (cut[0].start, cut[0].end) == (0, Fraction(1, 2))
    assert (cut[-1].start, cut[-1].end) == (Fraction(5, 2), Fraction(7, 2))


@pytest.mark.parametrize("is_masked", [False, True])
def test_a_step_with_a_part_teaches_the_parts_events_in_new_bins(is_masked):
    """A2.5, Vid2Seq: pretraining crops at random; events are binned anew within the part."""
    timeline = Timeline(EVENTS, TEN, is_speech=True, is_masked=is_masked)
    item = Item((), "", clip(), "v", timeline=timeline)
    drawn = [draw(item, seed=0, step=step, crop=0.5) for step in range(200)]
    parts = [one for one in drawn if one.part is not None]
    assert 60 <= len(parts) <= 140
    assert len({one.part for one in parts}) > 10
    for one in parts:
        start, stop = one.part
        assert one.clip.n_groups == stop - start
        said = one.said[0]
        if said.question.startswith("Fill"):
            continue
        events = parse_events(said.answer, one.clip.duration)
        assert [event.text for event in events] == [f"word{n}" for n in range(start, stop)]
        assert events[0].start == 0
        assert events[-1].end == one.clip.duration, "the last bin is the end of the part"
    masked = sum(one.said[0].question.startswith("Fill") for one in drawn if one.said)
    assert (masked > 60) == is_masked
    again = [draw(item, seed=0, step=step, crop=0.5).part for step in range(200)]
    assert again == [one.part for one in drawn], "the same step draws the same part"


def test_without_crops_every_step_shows_the_whole_video():
    item = Item((), "", clip(), "v", timeline=Timeline(EVENTS, TEN, True, True))
    assert {draw(item, seed=0, step=step).part for step in range(50)} == {None}


def test_a_part_in_which_nothing_happens_is_not_taken():
    early = Timeline((TimedText(Fraction(0), Fraction(1), "early"),), TEN, False, False)
    item = Item((), "", clip(), "v", timeline=early)
    drawn = [draw(item, seed=0, step=step, crop=1.0) for step in range(50)]
    assert all(one.part is None or one.part[0] == 0 for one in drawn)
    assert any(one.part is None for one in drawn)


def test_features_of_a_part_are_those_frames_of_the_whole(scratch):
    """Kept features are sliced; they are what encoding the part alone would give."""
    import torch

    from vidcli.train.corpus import Corpus, encode_clip
    from vidcli.train.features import Level
    from vidcli.train.pair import load_pair

    model = load_pair(scratch.files.weights, scratch.files.mmproj)
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    whole = make_clip(pixels, [Fraction(n) for n in range(6)], duration=Fraction(6))
    part, _ = crop_clip(whole, (2, 5), Fraction(6))
    with scratch.open_scribe() as scribe:
        for level in (Level.PIXELS, Level.ENCODER):
            item = Item((), "", part, "v", data=torch.from_numpy(encode_clip(whole, model, level)),
                        part=(2, 5))  # fmt: skip
            found = Corpus([item], scribe, model, level=level).features(item)
            alone = model.encode(torch.from_numpy(part.pixels)).detach()
            assert torch.allclose(found.detach(), alone, atol=2e-2)
