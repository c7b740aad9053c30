"""Frames written as files come back as they were; a failure leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from vidcli.errors import MediaError
from vidcli.media.encode import PART, ClipFormat, Tone, encode_clip, remove_parts
from vidcli.media.ffmpeg import read_version

FORM = ClipFormat(64, 48, 10, 16)
COLOURS = ((214, 30, 36), (30, 84, 220), (250, 222, 30), (128, 40, 176))


def make_frames() -> np.ndarray:
    """Half a second of each colour."""
    frames = np.empty((20, 48, 64, 3), np.uint8)
    for number, colour in enumerate(COLOURS):
        frames[number * 5 : number * 5 + 5] = colour
    return frames


def test_frames_come_back_in_their_order_and_colours(tmp_path: Path):
    frames = make_frames()
    target = tmp_path / "a %d 'b'.mp4"
    encode_clip(target, [frames[:7], frames[7:]], FORM, n_frames=20)
    with av.open(str(target)) as file:
        (stream,) = file.streams
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == 10
        back = np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])
    assert back.shape == frames.shape
    assert np.abs(back.astype(int) - frames).mean() < 4
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_tones_sound_at_their_pitch_while_they_last(tmp_path: Path):
    target = tmp_path / "a.mp4"
    encode_clip(
        target, [make_frames()], FORM, n_frames=20, tones=[Tone(440, 0, 0.9), Tone(880, 1.1, 2)]
    )
    with av.open(str(target)) as file:
        rate = file.streams.audio[0].rate
        sound = np.concatenate([f.to_ndarray()[0] for f in file.decode(audio=0)])
    for start, end, hertz in ((0.2, 0.8, 440), (1.3, 1.9, 880)):
        part = sound[int(start * rate) : int(end * rate)]
        peak = np.abs(np.fft.rfft(part)).argmax() * rate / len(part)
        assert peak == pytest.approx(hertz, abs=5)
    pause = sound[int(0.97 * rate) : int(1.03 * rate)]
    assert np.abs(pause).max() < 0.2 * np.abs(sound).max()


def test_the_same_frames_give_the_same_bytes(tmp_path: Path):
    for name in ("a.mp4", "b.mp4"):
        encode_clip(tmp_path / name, [make_frames()], FORM, n_frames=20, tones=[Tone(440, 0, 2)])
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_failure_leaves_no_file(tmp_path: Path):
    odd = ClipFormat(63, 47, 10, 16)  # yuv420p wants even sides
    with pytest.raises(MediaError, match="ffmpeg failed"):
        encode_clip(tmp_path / "a.mp4", [np.zeros((2, 47, 63, 3), np.uint8)], odd, n_frames=2)

    def break_off():
        yield make_frames()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_clip(tmp_path / "a.mp4", break_off(), FORM, n_frames=40)
    assert not list(tmp_path.iterdir())


def test_parts_of_processes_that_are_gone_are_removed(tmp_path: Path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = tmp_path / f".a.mp4.{ended.pid}-1{PART}"
    alive = tmp_path / f".a.mp4.{os.getpid()}-1{PART}"
    other = tmp_path / "a.part"
    for path in (gone, alive, other):
        path.touch()
    remove_parts(tmp_path)
    assert not gone.exists()
    assert alive.exists()
    assert other.exists()


def test_the_program_says_its_version():
    assert any(letter.isdigit() for letter in read_version())
    assert " " not in read_version()
