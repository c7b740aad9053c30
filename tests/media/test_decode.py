"""The frame on screen at each instant, whatever the container, codec and timing."""

import random
from fractions import Fraction
from typing import Any

import pytest

from tests.clips import ClipCache, read_number
from tests.media.picking import decode, on_screen, plan_of, seen, timeline
from vidcli.media import run
from vidcli.media.decode import decode_plan
from vidcli.media.probe import probe
from vidcli.media.pulse import heard_by

MATRIX: dict[str, tuple[str, dict[str, Any]]] = {
    "mp4": (".mp4", {}),
    "b-frames": (".mp4", {"b_frames": 3}),
    "b-frames in mkv": (".mkv", {"b_frames": 3}),
    "one long GOP": (".mp4", {"gop": 250, "b_frames": 2}),
    "b-pyramid": (".mp4", {"b_frames": 4, "gop": 48, "options": {"b-pyramid": "normal"}}),
    "vfr": (".mp4", {"filters": "select='not(mod(n,7))+between(n,30,60)'", "b_frames": 2}),
    "vfr in webm times": (".mkv", {"rate": 30, "filters": "select='lt(mod(n,11),4)'"}),
    "gap in pts": (".mkv", {"filters": "setpts='if(gt(N,40),PTS+3/TB,PTS)'", "b_frames": 2}),
    "starts at 100 s": (".ts", {"options": {"output_ts_offset": 100}, "b_frames": 2}),
    "starts at 0.4 s": (".mkv", {"filters": "setpts=PTS+0.4/TB"}),
    "fragmented": (".mp4", {"options": {"movflags": "frag_keyframe+empty_moov"}, "b_frames": 1}),
    "hevc": (".mkv", {"codec": "libx265", "b_frames": 3, "gop": 30}),
    "ten bits": (".mkv", {"codec": "libx265", "pix_fmt": "yuv420p10le"}),
    "vp9": (".webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime"}}),
    "vp9 live": (".webm", {"codec": "libvpx-vp9", "options": {"live": 1, "cpu-used": 8}}),
    "av1": (".mkv", {"codec": "libsvtav1", "options": {"preset": 12}}),
    "mpeg2": (".mpg", {"codec": "mpeg2video", "b_frames": 2}),
    "mpeg2 in ts": (".ts", {"codec": "mpeg2video", "b_frames": 2, "gop": 20}),
    "mpeg4 in avi": (".avi", {"codec": "mpeg4", "b_frames": 2}),
    "mjpeg": (".mov", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    "gif": (".gif", {"codec": "gif", "pix_fmt": "rgb8"}),
    "ntsc rate": (".mp4", {"rate": Fraction(30000, 1001), "b_frames": 2}),
    "odd size": (".mp4", {"size": (193, 109), "pix_fmt": "yuv444p"}),
    "open GOP": (".mkv", {"b_frames": 3, "options": {"x264-params": "open-gop=1"}}),
}


@pytest.fixture(params=MATRIX)
def clip(request: pytest.FixtureRequest, clips: ClipCache):
    suffix, options = MATRIX[request.param]
    return clips.get(suffix, duration=4, **options)


def test_every_instant_shows_the_frame_on_screen_then(clip):
    times = sorted(random.Random(1).sample([Fraction(n, 60) for n in range(220)], 12))
    assert seen(clip, times) == on_screen(timeline(clip), times)


def test_dense_instants_show_every_frame_in_order(clip):
    times = [Fraction(n, 50) for n in range(150)]
    assert seen(clip, times) == on_screen(timeline(clip), times)


def test_an_instant_on_a_frames_own_time_shows_that_frame(clip):
    shown = timeline(clip)
    times = [time for time, _ in shown[3:40:9]]
    assert [frame.number for frame in seen(clip, times)] == [number for _, number in shown[3:40:9]]


def test_snapping_gives_the_keyframe_at_or_before(clips: ClipCache):
    clip = clips.get(".mp4", duration=4, b_frames=2, gop=20)
    frames = decode(clip, [0.5, 1.0, 2.9], snap=True)
    assert [read_number(frame.image) for frame in frames] == [0, 20, 60]
    assert all(frame.is_keyframe for frame in frames)
    assert [frame.time.seconds for frame in frames] == [0, Fraction(4, 5), Fraction(12, 5)]


def test_snapping_gives_a_keyframe_shared_by_instants_once(clips: ClipCache):
    clip = clips.get(".mp4", duration=4, b_frames=2, gop=20)
    assert [frame.number for frame in seen(clip, [0.1, 0.2, 0.9, 1.0], snap=True)] == [0, 20]


def test_a_raw_stream_without_times_is_counted(clips: ClipCache):
    clip = clips.get(".h264", duration=2, b_frames=2)
    assert [frame.number for frame in seen(clip, [0.1, 0.5, 1.5])] == [2, 12, 37]
    assert [frame.number for frame in seen(clip, [0.1, 0.5, 1.5], snap=True)] == [2, 12, 37]


def test_pictures_held_back_beyond_the_lookahead_are_still_right(clips: ClipCache, monkeypatch):
    monkeypatch.setattr(run, "LOOKAHEAD", 0)
    clip = clips.get(duration=4, b_frames=4, gop=48, options={"b-pyramid": "normal"})
    times = [Fraction(n, 60) for n in range(3, 220, 7)]
    assert seen(clip, times) == on_screen(timeline(clip), times)


@pytest.mark.parametrize("suffix", [".ts", ".mp4", ".mkv"])
def test_a_whole_file_is_never_called_damaged(clips: ClipCache, suffix):
    clip = clips.get(suffix, duration=4, b_frames=2, gop=25)
    warnings: list[str] = []
    decode(clip, [Fraction(n, 7) for n in range(2, 26, 5)], warnings=warnings)
    assert warnings == []


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_far_instants_are_reached_without_reading_what_lies_between(clips: ClipCache, suffix):
    clip = clips.get(suffix, duration=20, gop=25, size=(64, 36))
    info = probe(str(clip))
    beats: list[object] = []
    with heard_by(beats.append):
        frames = list(decode_plan(info, plan_of([Fraction(1, 2), 19]), size=None, warn=print))
    assert [read_number(frame.image) for frame in frames] == [12, 475]
    assert len(beats) < 150  # packets, of 500


def test_close_instants_are_reached_without_starting_over(clips: ClipCache):
    clip = clips.get(duration=4, gop=100, size=(64, 36))
    beats: list[object] = []
    info = probe(str(clip))
    with heard_by(beats.append):
        list(decode_plan(info, plan_of([Fraction(n, 4) for n in range(16)]), size=None, warn=print))
    assert len(beats) < 150  # packets, of 100 and the first one again
