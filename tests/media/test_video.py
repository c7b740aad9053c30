"""An opened video tells what it is, what was wrong with it, and what to call its content."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import ffmpeg
import pytest

from tests.clips import ClipCache, read_number, run_ffmpeg
from tests.media import corpus
from tests.media.picking import plan_of
from vidcli.core.protocols import FrameSource
from vidcli.errors import MediaError, NoVideoStreamError
from vidcli.media import jobs
from vidcli.media.video import Video, open_video
from vidcli.media.worker import DecoderWorker


@pytest.fixture(scope="module")
def worker() -> Iterator[DecoderWorker]:
    with DecoderWorker(timeout_s=20) as running:
        yield running


def test_frames_come_at_the_size_asked_for_or_as_displayed(worker, clips: ClipCache):
    video: FrameSource = open_video(str(clips.get(duration=1)), worker)
    assert next(iter(video.frames(plan_of([0]), size=None))).image.shape == (108, 192, 3)
    assert next(iter(video.frames(plan_of([0]), size=(50, 20)))).image.shape == (20, 50, 3)


def test_frames_beyond_all_bounds_are_refused(worker, clips: ClipCache):
    info = open_video(str(clips.get(duration=1)), worker).info
    vast = replace(info, picture=replace(info.video, display_size=(60_000, 60_000)))
    with pytest.raises(MediaError, match="60000 × 60000 pixels"):
        list(Video(vast, worker).frames(plan_of([0])))


def test_what_is_wrong_is_told_once_however_often_it_is_met(worker, clips: ClipCache, tmp_path):
    whole = clips.get(duration=4, b_frames=2, options={"movflags": "faststart"})
    video = open_video(str(corpus.cut_in_half(whole, tmp_path / "cut.mp4")), worker)
    for _ in range(2):
        assert len(list(video.frames(plan_of([1, 3])))) == 1
    assert sum("s of 4.0 s" in sentence for sentence in video.warnings) == 1
    assert sum("later instants were not seen" in sentence for sentence in video.warnings) == 1


def test_a_fingerprint_survives_a_move(worker, clips: ClipCache, tmp_path):
    clip = clips.get(duration=1)
    moved = shutil.copy(clip, tmp_path / "moved.mp4")
    other = open_video(str(clips.get(duration=2)), worker).fingerprint
    assert open_video(str(clip), worker).fingerprint == open_video(str(moved), worker).fingerprint
    assert open_video(str(clip), worker).fingerprint != other


def test_an_animated_webp_goes_through_the_worker(worker, clips: ClipCache):
    clip = clips.get(".webp", codec="libwebp_anim", pix_fmt="yuva420p", options={"lossless": 1})
    frames = open_video(str(clip), worker).frames(plan_of([Fraction(1, 5), 1]))
    assert [read_number(frame.image) for frame in frames] == [5, 25]


def test_the_kind_of_error_survives_the_way_back(worker, clips: ClipCache):
    sound = clips.build(".mp3", corpus.make_sound, key="sound")
    with pytest.raises(NoVideoStreamError, match="no video stream"):
        open_video(str(sound), worker)


def test_every_operation_exists(worker, clips: ClipCache, tmp_path: Path):
    path, words = str(clips.get(duration=1)), tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    sound = clips.build(".mp3", corpus.make_sound, key="sound")
    all_three = tmp_path / "all.mkv"
    streams = [ffmpeg.input(path), ffmpeg.input(str(words)), ffmpeg.input(str(sound))]
    run_ffmpeg(ffmpeg.output(*streams, str(all_three), **{"c:v": "copy", "c:s": "srt"}))
    second = {"start": Fraction(0), "end": Fraction(1)}
    other = {
        "subtitle_file": (str(words), {}),
        "subtitle_stream": (str(all_three), {"index": 1}),
        "sound": (str(all_three), {"index": 2} | second),
    }
    for operation in jobs.OPERATIONS:
        asked, options = other.get(operation, (path, {}))
        found = worker.call(operation, asked, **options)
        assert found.size if operation == "sound" else found


def test_an_operation_tells_how_far_it_is(worker, clips: ClipCache):
    long = clips.get(duration=160, rate=25, size=(64, 36), gop=25)
    told: list[Fraction] = []
    worker.call("shots", str(long), span=plan_of([0, 159]).span, progress=told.append)
    assert told == sorted(told)
    assert told
    assert 0 < told[-1] <= 1


def test_a_bug_in_an_operation_costs_the_file_and_keeps_the_worker(worker, clips: ClipCache):
    path = str(clips.get(duration=1))
    with pytest.raises(MediaError, match=r"makes the decoder fail \(TypeError"):
        worker.call("probe", path, nonsense=1)
    assert worker.call("probe", path).duration == 1
