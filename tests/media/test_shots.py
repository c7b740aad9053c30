"""Promises of shot detection, on reels whose every transition is known."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from hypothesis import given
from hypothesis import strategies as st

from tests.clips import ClipCache
from tests.media import footage
from tests.media.reel import SOURCES, Truth, make_reel, score_reel
from vidcli.core.media import Shot, Transition
from vidcli.core.time import Span
from vidcli.errors import MediaError
from vidcli.media.graduals import Change
from vidcli.media.plan import plan_shots
from vidcli.media.probe import probe
from vidcli.media.shots import (
    detect_shots,
    find_changes,
    list_keyframes,
    merge_changes,
    tile,
)
from vidcli.media.thumbnails import measure_cells
from vidcli.media.worker import DecoderWorker

SIZE = (320, 180)
Image = footage.Image


@pytest.fixture(scope="session")
def reels(clips: ClipCache) -> Callable[[int], tuple[Path, Truth]]:
    made: dict[int, tuple[Path, Truth]] = {}

    def get(number: int) -> tuple[Path, Truth]:
        if number not in made:
            path = clips.directory / f"reel{number}.mp4"
            made[number] = (path, make_reel(path, reel=number))
        return made[number]

    return get


def scene(seed: int) -> Image:
    return footage.clouds(np.random.default_rng(seed), SIZE)


def mix(first: Image, second: Image, frames: int) -> list[Image]:
    steps = ((k + 1) / (frames + 1) for k in range(frames))
    return [np.asarray(cv2.addWeighted(first, 1 - s, second, s, 0)) for s in steps]


def changes_of(images: Iterable[Image], *, rate: int = 25) -> list[tuple[str, int]]:
    """(kind, first frame of the new shot) of every change found between these frames."""
    reformatter = VideoReformatter()
    frames = (
        (Fraction(k, rate), measure_cells(av.VideoFrame.from_ndarray(i, "rgb24"), reformatter))
        for k, i in enumerate(images)
    )
    return [(change.kind.value, change.at) for change in merge_changes(find_changes(frames))]


@pytest.mark.parametrize("number", [1, 2])
def test_a_truth_reel_gives_its_cuts_and_gradual_changes_and_nothing_else(reels, number):
    path, truth = reels(number)
    shots = detect_shots(str(path))
    found = [(float(shot.span.start) * footage.RATE, shot.transition) for shot in shots[1:]]
    score = score_reel(truth, found)
    assert (len(truth.cuts), len(truth.graduals), len(truth.flashes)) == (62, 17, 5)
    assert score.missed_cuts == ()
    assert len(score.false_alarms) <= 2
    assert score.flashes_reported == 0
    assert score.graduals_found >= 15, score.missed_graduals
    times = [Fraction(0), *(shot.span.end for shot in shots)]
    assert [shot.span.start for shot in shots] == times[:-1]
    assert times[-1] == probe(str(path)).duration


def test_every_source_of_a_reel_draws_the_same_from_the_same_seed():
    for source in (*SOURCES[1], *SOURCES[2]):
        first, second = (
            list(itertools.islice(source(np.random.default_rng(5), (64, 36)), 3)) for _ in range(2)
        )
        assert np.array_equal(first, second)


def test_a_score_counts_misses_and_false_alarms():
    truth = Truth(frames=100, cuts=[20, 50], flashes=[70])
    score = score_reel(truth, [(22, "cut"), (71, "cut"), (90, "cut")])
    assert (score.cuts_found, score.missed_cuts) == (1, (50,))
    assert (score.flashes_reported, score.false_alarms) == (1, (71, 90))


@pytest.mark.parametrize("frames", [8, 16, 30, 60])
@pytest.mark.parametrize("rate", [25, 60])
def test_a_dissolve_is_found_whatever_its_length_and_the_frame_rate(frames, rate):
    first, second = scene(1), scene(2)
    pad = 2 * rate
    found = changes_of([first] * pad + mix(first, second, frames) + [second] * pad, rate=rate)
    assert [kind for kind, _ in found] == ["dissolve"]
    assert pad < found[0][1] < pad + frames


@pytest.mark.parametrize("level", [0, 255])
def test_a_fade_is_one_change_in_the_middle_of_its_veil(level):
    first, second, veil = scene(1), scene(2), np.full((180, 320, 3), level, np.uint8)
    images = [first] * 40 + mix(first, veil, 10) + [veil] * 10 + mix(veil, second, 10)
    found = changes_of([*images, *[second] * 40])
    assert [kind for kind, _ in found] == ["fade"]
    assert 50 <= found[0][1] <= 60


@pytest.mark.parametrize("black_frames", [1, 2, 3])
@pytest.mark.parametrize("ramp", [8, 11, 14])
@pytest.mark.parametrize("seeds", [(1, 2), (5, 6)])
def test_a_fade_through_a_moment_of_black_is_no_flash_of_darkness(black_frames, ramp, seeds):
    first, second = (scene(seed) for seed in seeds)
    black = np.zeros((180, 320, 3), np.uint8)
    fall, rise = mix(first, black, ramp), mix(black, second, ramp)
    found = changes_of([first] * 40 + fall + [black] * black_frames + rise + [second] * 40)
    assert [kind for kind, _ in found] == ["fade"]
    assert 40 + ramp <= found[0][1] <= 40 + ramp + black_frames


def test_a_long_black_between_fades_is_a_shot_of_its_own():
    first, second, black = scene(1), scene(2), np.zeros((180, 320, 3), np.uint8)
    images = [first] * 40 + mix(first, black, 10) + [black] * 90 + mix(black, second, 10)
    found = changes_of([*images, *[second] * 40])
    assert [kind for kind, _ in found] == ["fade", "fade"]
    assert 85 <= found[1][1] - found[0][1] <= 92


def test_fades_at_the_ends_of_a_video_part_no_shots():
    picture, black = scene(1), np.zeros((180, 320, 3), np.uint8)
    images = mix(black, picture, 15) + [picture] * 40 + mix(picture, black, 15) + [black] * 5
    found = changes_of([black, *images])
    assert [(kind, at) for kind, at in found if 0 < at < len(images) + 1] == []


def test_changing_light_is_no_change_of_shot():
    picture = scene(1)
    dark = (picture * 0.75).astype(np.uint8)
    assert changes_of([picture] * 40 + [dark] * 40) == []
    assert changes_of([picture] * 40 + mix(picture, (picture * 0.4).astype(np.uint8), 20)) == []


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_a_flash_is_no_shot_but_a_short_cutaway_is(frames):
    picture, flash = scene(1), np.full((180, 320, 3), 255, np.uint8)
    assert changes_of([picture] * 40 + [flash] * frames + [picture] * 40) == []
    cutaway = [picture] * 40 + [scene(2)] * 6 + [picture] * 40
    assert changes_of(cutaway) == [("cut", 40), ("cut", 46)]


@pytest.mark.parametrize("residue", [(3, -3, 4), (5, -4, 5), (-4, 5, -4)])
def test_what_coding_leaves_of_a_flash_is_no_cut(residue):
    page = next(footage.slide(np.random.default_rng(1), SIZE))
    flash = np.asarray(cv2.addWeighted(page, 0.15, np.full_like(page, 255), 0.85, 0), np.uint8)
    stained = np.clip(page * 0.985 + residue, 0, 255).astype(np.uint8)
    assert changes_of([page] * 40 + [flash] * 2 + [stained] * 40) == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("quality", [8, 12])
def test_a_keyframe_that_brings_lost_detail_back_is_no_cut(seed, quality):
    random = np.random.default_rng(seed)
    grain = random.normal(0, 16, (90, 160, 1)).repeat(2, axis=0).repeat(2, axis=1)
    sharp = np.clip(scene(seed) * 0.6 + 60 + grain, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", sharp, [cv2.IMWRITE_JPEG_QUALITY, quality])
    starved = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    assert changes_of([starved] * 40 + [sharp] * 40) == []


@pytest.mark.parametrize("seeds", [(3, 4), (7, 8)])
def test_a_cut_between_pictures_without_detail_is_found(seeds):
    random = np.random.default_rng(1)

    def mottled(seed: int) -> Image:
        faint = 128 + (cv2.GaussianBlur(scene(seed), (0, 0), 30).astype(np.float32) - 128) * 0.12
        mottle = random.normal(0, 1.2, (9, 16, 3)).repeat(20, axis=0).repeat(20, axis=1)
        return np.clip(faint + mottle, 0, 255).astype(np.uint8)

    first, second = ([mottled(seed) for _ in range(40)] for seed in seeds)
    assert changes_of([*first, *second]) == [("cut", 40)]


def test_a_body_rushing_by_is_no_cut():
    take = footage.rush(np.random.default_rng(8), SIZE)
    assert changes_of(itertools.islice(take, 150)) == []


def test_a_slide_is_a_shot_however_white_and_its_growing_text_is_none():
    def page(seed: int) -> Image:
        random, image = np.random.default_rng(seed), np.full((180, 320, 3), 250, np.uint8)
        for row in range(8):
            text = "".join(chr(letter) for letter in random.integers(97, 123, 22))
            cv2.putText(image, text, (20, 24 + row * 20), 0, 0.45, (40, 40, 40), 1)
        return image

    assert changes_of([page(1)] * 50 + [page(2)] * 50) == [("cut", 50)]
    growing = footage.slide(np.random.default_rng(3), SIZE)
    assert changes_of(itertools.islice(growing, 200)) == []


def test_frames_a_second_apart_can_each_begin_a_shot():
    pictures = [scene(seed) for seed in range(6)]
    images = [picture for picture in pictures for _ in range(3)]
    assert changes_of(images, rate=1) == [("cut", at) for at in (3, 6, 9, 12, 15)]


def test_where_blocks_meet_nothing_is_lost_or_told_twice():
    first, second = scene(1), scene(2)
    shots = [[first, second][k % 2] for k in range(120) for _ in range(41)]
    found = changes_of(shots)
    assert found == [("cut", at) for at in range(41, 120 * 41, 41)]


def test_cut_times_are_the_times_of_a_varying_frame_rate(clips, tmp_path):
    def draw(number: int, size: tuple[int, int]) -> Image:
        return scene(1 if number < 50 else 2)

    path = clips.get(
        ".mkv", duration=4.0, size=SIZE, draw=draw, filters="select='lt(n,30)+not(mod(n,5))'"
    )
    with av.open(str(path)) as container:
        shown = [frame.time for frame in container.decode(video=0)]
    shots = detect_shots(str(path))
    assert len(shots) == 2
    assert float(shots[1].span.start) == pytest.approx(2.0, abs=0.002)
    assert any(abs(time - float(shots[1].span.start)) < 0.001 for time in shown)


def test_a_span_is_tiled_by_its_own_shots(clips):
    def draw(number: int, size: tuple[int, int]) -> Image:
        return scene(number // 25)

    path = str(clips.get(duration=5.0, size=SIZE, draw=draw))
    span = Span(Fraction(3, 2), Fraction(7, 2))
    shots = detect_shots(path, span)
    assert [shot.span.start for shot in shots] == [Fraction(3, 2), 2, 3]
    assert shots[-1].span.end == span.end
    assert shots[0].transition is Transition.START


SPANS = """
import sys
from fractions import Fraction
from vidcli.core.time import Span
from vidcli.media.shots import detect_shots
for tenths in range(10, 30):
    shots = detect_shots(sys.argv[1], Span(Fraction(0), Fraction(tenths, 10)))
    assert shots[-1].span.end == Fraction(tenths, 10)
print("done")
"""


def test_a_span_that_ends_before_the_video_never_hangs(reels):
    path, _ = reels(1)  # the decoder's threads are at work when it is closed
    command = [sys.executable, "-c", SPANS, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


CODINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "b-frames, one keyframe": (".mp4", {"gop": 250, "b_frames": 3}),
    "open gop": (".mp4", {"gop": 20, "b_frames": 3, "options": {"x264-params": "open-gop=1"}}),
    "keyframes only": (".mp4", {"gop": 1}),
    "starved": (".mkv", {"gop": 250, "b_frames": 3, "options": {"crf": 45}}),
    "hevc": (".mp4", {"codec": "libx265", "gop": 40, "b_frames": 3}),
    "mpeg-2": (".ts", {"codec": "mpeg2video", "b_frames": 2}),
    "mpeg-4": (".avi", {"codec": "mpeg4", "gop": 40}),
    "vp9": (".webm", {"codec": "libvpx-vp9", "gop": 50, "options": {"cpu-used": 8}}),
    "av1": (".mkv", {"codec": "libsvtav1", "gop": 50, "options": {"preset": 12}}),
}


@pytest.mark.parametrize("coding", CODINGS)
def test_cuts_are_at_their_frames_however_the_video_is_coded(clips, coding):
    def draw(number: int, size: tuple[int, int]) -> Image:
        return scene(number // 31)

    suffix, coded = CODINGS[coding]
    path = clips.get(suffix, duration=4.8, size=SIZE, draw=draw, **coded)
    starts = [float(shot.span.start) for shot in detect_shots(str(path))]
    assert starts == pytest.approx([0, 31 / 25, 62 / 25, 93 / 25], abs=0.002)


def test_a_still_video_is_one_shot_that_max_gap_still_covers(clips):
    path = str(clips.get(duration=8.0, size=SIZE, draw=lambda number, size: scene(1)))
    shots = detect_shots(path)
    assert [shot.span for shot in shots] == [Span(Fraction(0), Fraction(8))]
    plan = plan_shots(probe(path), shots[0].span, shots, budget=16, max_gap=Fraction(2))
    gaps = [b.time - a.time for a, b in itertools.pairwise(plan.frames)]
    assert max(gaps) <= 2


def test_a_one_frame_file_is_one_shot(clips):
    path = str(clips.get(duration=0.04, size=SIZE, draw=lambda number, size: scene(1)))
    assert len(detect_shots(path)) == 1


def test_a_picture_file_is_one_shot(tmp_path):
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), scene(1))
    assert len(detect_shots(str(path))) == 1


def test_a_damaged_file_gives_the_shots_of_what_is_left(clips, tmp_path):
    def draw(number: int, size: tuple[int, int]) -> Image:
        return scene(number // 25)

    whole = clips.get(".mkv", duration=5.0, size=SIZE, draw=draw).read_bytes()
    path = tmp_path / "cut off.mkv"
    path.write_bytes(whole[: len(whole) * 7 // 10])
    starts = [float(shot.span.start) for shot in detect_shots(str(path))]
    assert starts[:3] == pytest.approx([0, 1, 2], abs=0.002)


def test_text_is_refused(tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("no video\n" * 99)
    with pytest.raises(MediaError, match=r"notes\.mp4"):
        detect_shots(str(path))


def test_the_worker_process_detects_shots_and_tells_how_far_it_is(clips):
    def draw(number: int, size: tuple[int, int]) -> Image:
        return scene(number // 25)

    path = str(clips.get(duration=5.0, size=SIZE, draw=draw))
    with DecoderWorker() as worker:
        shots = worker.call("shots", path)
        times = worker.call("keyframes", path)
    assert tuple(shots) == detect_shots(path)
    assert tuple(times) == list_keyframes(path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_keyframes_are_listed_at_their_own_times(clips, suffix):
    path = str(clips.get(suffix, duration=4.0, gop=25, b_frames=0 if suffix == ".avi" else 2))
    assert [round(float(time), 2) for time in list_keyframes(path)] == [0, 1, 2, 3]


@given(
    st.lists(st.tuples(st.fractions(0, 20), st.sampled_from(list(Transition))), max_size=20),
    st.fractions(0, 10, max_denominator=50),
    st.fractions(Fraction(1, 50), 10, max_denominator=50),
)
def test_shots_tile_the_span_whatever_is_found(boundaries, start, length):
    span = Span(start, start + length)
    shots = tile(span, boundaries)
    assert (shots[0].span.start, shots[-1].span.end) == (span.start, span.end)
    assert all(a.span.end == b.span.start for a, b in itertools.pairwise(shots))
    assert shots[0].transition is Transition.START


@given(
    st.lists(
        st.builds(
            lambda kind, at, before, after: Change(kind, at - before, at + after, at),
            st.sampled_from([Transition.CUT, Transition.FADE, Transition.DISSOLVE]),
            st.integers(100, 900),
            st.integers(0, 40),
            st.integers(0, 40),
        ),
        max_size=30,
    )
)
def test_merged_changes_do_not_overlap(changes):
    merged = merge_changes(changes)
    assert all(a.end < b.start + 1 for a, b in itertools.pairwise(merged))
    assert [change.at for change in merged] == sorted(change.at for change in merged)


def test_a_shot_is_a_value():
    span = Span(Fraction(0), Fraction(1))
    assert Shot(span, Transition.CUT) == Shot(span, Transition.CUT)
