"""A video that runs backwards shows at each instant what the other shows as long before its end."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidcli.core.time import Span
from vidcli.media.backwards import BackwardsVideo, mirror
from vidcli.media.encode import ClipFormat, encode_clip
from vidcli.media.plan import choose_span, plan_fps, plan_uniform
from vidcli.media.video import open_video
from vidcli.media.worker import DecoderWorker

LEVELS = (20, 90, 160, 230)


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Four grey levels, a second each."""
    frames = np.repeat(np.array(LEVELS, np.uint8), 10)[:, None, None, None]
    whole = np.broadcast_to(frames, (40, 48, 64, 3)).copy()
    path = tmp_path / "steps.mp4"
    encode_clip(path, [whole], ClipFormat(64, 48, 10, 16), n_frames=40)
    return path


def test_frames_come_in_the_order_of_the_plan_with_the_pictures_turned(steps: Path):
    with DecoderWorker() as worker:
        video = open_video(str(steps), worker)
        turned = BackwardsVideo(video)
        span = choose_span(video.info, start=None, end=None)
        for plan in (plan_uniform(video.info, span, budget=4),
                     plan_fps(video.info, span, fps=1.0, budget=9)):  # fmt: skip
            there = list(video.frames(plan))
            back = list(turned.frames(plan))
            levels = [round(float(frame.image.mean())) for frame in there]
            assert levels == pytest.approx(LEVELS, abs=4)
            assert [round(float(f.image.mean())) for f in back] == pytest.approx(
                levels[::-1], abs=1
            )
            assert [frame.wanted for frame in back] == [frame.time for frame in plan.frames]
            assert [frame.time.seconds for frame in back] == [frame.wanted for frame in back]


def test_its_fingerprint_is_another_and_always_the_same(steps: Path):
    with DecoderWorker() as worker:
        video = open_video(str(steps), worker)
        turned = BackwardsVideo(video)
        assert turned.fingerprint == BackwardsVideo(video).fingerprint != video.fingerprint
        assert len(turned.fingerprint) == len(video.fingerprint)
        assert turned.info == video.info


def test_a_mirrored_instant_lies_in_its_span():
    span = Span(Fraction(2), Fraction(6))
    assert mirror(Fraction(3), span) == 5
    assert mirror(Fraction(2), span) in span
    assert mirror(Fraction(59999, 10000), span) == Fraction(20001, 10000)
