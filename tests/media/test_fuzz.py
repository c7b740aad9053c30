"""Flipped bytes never crash the caller: a file is used or refused with a sentence."""

import random
from collections.abc import Iterator

import pytest

from tests.clips import ClipCache
from tests.media.picking import plan_of
from vidcli.errors import MediaError
from vidcli.media.video import open_video
from vidcli.media.worker import DecoderWorker

FORMATS = {
    "mp4": (".mp4", {"options": {"movflags": "faststart"}}),
    "mkv": (".mkv", {"b_frames": 2}),
    "webm": (".webm", {"codec": "libvpx-vp9", "options": {"cpu-used": 8}}),
    "ts": (".ts", {"b_frames": 2}),
    "avi": (".avi", {"codec": "mpeg4"}),
    "gif": (".gif", {"codec": "gif", "pix_fmt": "rgb8"}),
    "mpg": (".mpg", {"codec": "mpeg2video"}),
}
TRIES = 12


@pytest.fixture(scope="module")
def worker() -> Iterator[DecoderWorker]:
    with DecoderWorker(timeout_s=20, memory_bytes=1024**3) as running:
        yield running


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("place", ["header", "anywhere"])
def test_flipped_bytes_end_in_frames_or_a_sentence(worker, clips: ClipCache, tmp_path, kind, place):
    suffix, options = FORMATS[kind]
    whole = clips.get(suffix, duration=1, size=(64, 36), **options).read_bytes()
    path = tmp_path / f"a{suffix}"
    for seed in range(TRIES):
        chance = random.Random(f"{kind} {place} {seed}")
        data = bytearray(whole)
        reach = min(len(data), 800) if place == "header" else len(data)
        for _ in range(chance.choice([1, 4, 30])):
            data[chance.randrange(reach)] = chance.randrange(256)
        path.write_bytes(data)
        try:
            video = open_video(str(path), worker)
            frames = list(video.frames(plan_of([0.1, 0.5, 0.9]), size=(64, 36)))
        except MediaError as error:
            sentence, frames = str(error), []
        else:
            sentence = str(path)
        assert str(path) in sentence
        assert all(frame.image.shape == (36, 64, 3) for frame in frames)
        times = [frame.time.seconds for frame in frames]
        assert times == sorted(set(times))
