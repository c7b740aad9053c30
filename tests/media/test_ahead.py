"""Frames decoded before they are asked for are the frames that would have been decoded."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from tests.clips import ClipCache, read_number
from vidcli.core.media import FramePlan
from vidcli.errors import MediaError
from vidcli.media import ahead
from vidcli.media.ahead import AheadVideo
from vidcli.media.fingerprint import fingerprint
from vidcli.media.plan import choose_span, plan_uniform
from vidcli.media.video import open_video
from vidcli.media.worker import DecoderWorker

SIZE = (96, 54)


@pytest.fixture(scope="module")
def worker() -> Iterator[DecoderWorker]:
    with DecoderWorker() as worker:
        yield worker


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    return clips.get(duration=2.0)


def open_ahead(path: Path, worker: DecoderWorker) -> tuple[AheadVideo, FramePlan]:
    info = open_video(str(path), worker).info
    video = AheadVideo(info, worker, fingerprint(str(path)))
    return video, plan_uniform(info, choose_span(info), budget=10)


def numbers(video: AheadVideo, plan: FramePlan) -> list[int]:
    return [read_number(frame.image) for frame in video.frames(plan, size=SIZE)]


def test_what_was_begun_is_what_comes_and_comes_once(clip: Path, worker: DecoderWorker):
    video, plan = open_ahead(clip, worker)
    plain = numbers(video, plan)
    assert len(plain) == 10
    video.start(plan, size=SIZE)
    assert numbers(video, plan) == plain
    assert numbers(video, plan) == plain


def test_a_queue_that_is_full_waits_for_whoever_takes(
    clip: Path, worker: DecoderWorker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ahead, "HELD_BYTES", 1)
    video, plan = open_ahead(clip, worker)
    video.start(plan, size=SIZE)
    assert len(numbers(video, plan)) == 10


def test_another_plan_is_decoded_as_if_nothing_was_begun(clip: Path, worker: DecoderWorker):
    video, plan = open_ahead(clip, worker)
    other = plan_uniform(video.info, choose_span(video.info, end=Fraction(1)), budget=3)
    video.start(plan, size=SIZE)
    assert len(numbers(video, other)) == 3
    video.close()


def test_closing_ends_what_nobody_took_and_the_worker_serves_on(
    clip: Path, worker: DecoderWorker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ahead, "HELD_BYTES", 1)
    video, plan = open_ahead(clip, worker)
    video.start(plan, size=SIZE)
    video.close()
    video.close()
    video.start(plan, size=SIZE)
    frames = video.frames(plan, size=SIZE)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert len(numbers(video, plan)) == 10


def test_a_failure_comes_where_the_frames_are_taken(clip: Path, tmp_path: Path):
    with DecoderWorker() as worker:
        gone = tmp_path / "gone.mp4"
        gone.write_bytes(clip.read_bytes())
        video, plan = open_ahead(gone, worker)
        gone.unlink()
        video.start(plan, size=SIZE)
        with pytest.raises(MediaError):
            numbers(video, plan)
