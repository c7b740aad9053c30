"""Each odd file gets the behaviour a user would call right: used where playable, else named."""

import os
import random
import shutil
from fractions import Fraction
from pathlib import Path

import ffmpeg
import pytest

from tests.clips import ClipCache, make_clip, run_ffmpeg
from tests.media import corpus
from tests.media.picking import decode, on_screen, seen, timeline
from vidcli.errors import MediaError, NoVideoStreamError
from vidcli.media.probe import probe

TENTHS = [Fraction(n, 10) for n in range(60)]


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    return clips.get(duration=4, b_frames=2)


def what_is_wrong(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        probe(str(path))
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


def test_an_empty_file_is_called_empty(tmp_path):
    (tmp_path / "a.mp4").touch()
    assert what_is_wrong(tmp_path / "a.mp4") == " is an empty file (0 bytes)"


@pytest.mark.parametrize("text", ["Dear diary", "naïve\ntext\r\n", "x" * 10_000 + "é" * 3000])
def test_text_is_called_text(tmp_path, text):
    (tmp_path / "a.mp4").write_text(text)
    assert what_is_wrong(tmp_path / "a.mp4") == " is text, not a video"


def test_noise_is_no_video(tmp_path):
    (tmp_path / "a.mp4").write_bytes(random.Random(7).randbytes(50_000))
    assert "is damaged, or is no video" in what_is_wrong(tmp_path / "a.mp4")


def test_a_document_is_called_by_its_name(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(500))
    assert what_is_wrong(tmp_path / "a.mp4") == " is a PDF document, not a video"


def test_an_mp4_without_its_index_is_called_incomplete(clip, tmp_path):
    assert "incomplete download or recording" in what_is_wrong(
        corpus.without_index(clip, tmp_path / "a.mp4")
    )


def test_an_mp4_cut_before_its_index_is_called_incomplete(clip, tmp_path):
    assert "incomplete download or recording" in what_is_wrong(
        corpus.cut_in_half(clip, tmp_path / "a.mp4")
    )


CUTTABLE = {
    "faststart": (".mp4", {"options": {"movflags": "faststart"}}),
    "fragmented": (".mp4", {"options": {"movflags": "frag_keyframe+empty_moov"}}),
    "mkv": (".mkv", {}),
    "ts": (".ts", {}),
}


@pytest.mark.parametrize("kind", CUTTABLE)
def test_a_cut_file_is_used_up_to_where_it_really_ends(clips, tmp_path, kind):
    suffix, options = CUTTABLE[kind]
    whole = clips.get(suffix, duration=4, b_frames=2, **options)
    cut = corpus.cut_in_half(whole, tmp_path / f"cut{suffix}")
    info = probe(str(cut))
    assert info.duration is not None
    assert 1 < info.duration < 3
    times = [time for time in TENTHS if time < info.duration - Fraction(1, 5)]
    assert seen(cut, times) == on_screen(timeline(whole), times)


@pytest.mark.parametrize("kind", ["faststart", "mkv"])
def test_a_cut_file_says_where_it_ends_of_what_it_claims(clips, tmp_path, kind):
    suffix, options = CUTTABLE[kind]
    whole = clips.get(suffix, duration=4, b_frames=2, **options)
    info = probe(str(corpus.cut_in_half(whole, tmp_path / f"cut{suffix}")))
    assert info.duration is not None
    assert info.warnings == (f"file ends at {float(info.duration):.1f} s of 4.0 s",)


def test_a_frame_cut_in_two_is_not_counted(clips: ClipCache, tmp_path):
    whole = clips.get(duration=4, options={"movflags": "faststart"})
    cut = corpus.cut_in_half(whole, tmp_path / "cut.mp4")
    info = probe(str(cut))
    assert info.duration is not None
    (last,) = seen(cut, [info.duration - Fraction(1, 1000)])
    assert last.time == info.duration - Fraction(1, 25)


@pytest.mark.parametrize("kind", CUTTABLE)
def test_instants_past_the_end_of_a_cut_file_get_no_frame_and_no_duplicate(clips, tmp_path, kind):
    suffix, options = CUTTABLE[kind]
    whole = clips.get(suffix, duration=4, b_frames=2, **options)
    cut = corpus.cut_in_half(whole, tmp_path / f"cut{suffix}")
    warnings: list[str] = []
    frames = decode(cut, [1, 3, Fraction(7, 2), Fraction(39, 10)], warnings=warnings)
    assert [frame.wanted for frame in frames] == [1]
    assert any("later instants were not seen" in warning for warning in warnings)


def test_damage_in_the_middle_is_stepped_over_and_told(clips: ClipCache, tmp_path):
    whole = clips.get(duration=4, gop=10, size=(320, 180))
    hurt = corpus.damage_middle(whole, tmp_path / "hurt.mp4", length=4000)
    warnings: list[str] = []
    frames = decode(hurt, TENTHS[:40], warnings=warnings)
    assert frames[-1].time.seconds > Fraction(7, 2)
    assert len(frames) > 30
    assert sum("damaged" in warning for warning in warnings) == 1


@pytest.mark.parametrize("suffix", [".mp4", ".mp3", ".wav"])
def test_sound_alone_is_no_video(clips: ClipCache, suffix):
    sound = clips.build(suffix, corpus.make_sound, key="sound")
    with pytest.raises(NoVideoStreamError, match=r"no video stream \(only sound\)"):
        probe(str(sound))


def test_a_file_of_subtitles_alone_is_nothing_to_see_or_hear(tmp_path):
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n")
    alone = tmp_path / "words.mkv"
    run_ffmpeg(ffmpeg.output(ffmpeg.input(str(words)), str(alone)))
    for sound_too in (False, True):
        with pytest.raises(MediaError, match="nothing to see or hear"):
            probe(str(alone), sound_too=sound_too)


@pytest.mark.parametrize("suffix", [".mp3", ".m4a"])
def test_sound_with_a_cover_is_no_video(clips: ClipCache, tmp_path, suffix):
    sound = clips.build(suffix, corpus.make_sound, key="sound")
    cover = clips.build(".jpg", corpus.make_cover, key="cover")
    covered = corpus.with_cover(sound, cover, tmp_path / f"covered{suffix}")
    with pytest.raises(NoVideoStreamError, match="only sound and a cover picture"):
        probe(str(covered))


def test_a_cover_beside_the_video_is_never_chosen(clips: ClipCache, tmp_path):
    cover = clips.build(".jpg", corpus.make_cover, key="cover")
    covered = corpus.with_cover(clips.get(duration=1), cover, tmp_path / "covered.mp4")
    assert probe(str(covered)).video.display_size == (192, 108)
    assert [frame.number for frame in seen(covered, [Fraction(1, 5)])] == [5]


def test_an_image_under_a_videos_name_is_a_still(clips: ClipCache, tmp_path):
    renamed = tmp_path / "image.mp4"
    shutil.copy(clips.build(".jpg", corpus.make_cover, key="cover"), renamed)
    info = probe(str(renamed))
    assert info.video.is_still
    assert info.duration is None
    assert len(decode(renamed, [0, 1, 20])) == 1


@pytest.mark.parametrize("name", ["a.jpg", "A.JPEG", "odd[1]*?{x}.jpg", "100%d.jpg"])
def test_a_picture_under_its_own_name_is_a_still_too(clips: ClipCache, tmp_path, name):
    large = clips.get(
        ".jpg",
        duration=0.04,
        size=(960, 540),
        codec="mjpeg",
        pix_fmt="yuvj420p",
        options={"update": 1, "q:v": 2},
    )
    picture = tmp_path / name
    shutil.copy(large, picture)
    info = probe(str(picture))
    assert (info.video.is_still, info.video.display_size) == (True, (960, 540))
    assert len(decode(picture, [0, 1])) == 1


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt"),
    [(".png", "png", "rgb24"), (".bmp", "bmp", "bgr24"), (".tiff", "tiff", "rgb24")],
)
def test_pictures_of_other_kinds_are_stills(clips: ClipCache, suffix, codec, pix_fmt):
    picture = clips.get(
        suffix, duration=0.04, size=(320, 180), codec=codec, pix_fmt=pix_fmt, options={"update": 1}
    )
    assert probe(str(picture)).video.is_still
    assert [frame.number for frame in seen(picture, [0])] == [0]


def test_a_clip_of_one_frame_gives_it_once(clips: ClipCache):
    clip = clips.get(duration=0.04)
    assert [frame.number for frame in seen(clip, [Fraction(n, 1000) for n in range(40)])] == [0]


def test_a_varying_rate_is_told_and_a_steady_one_too(clips: ClipCache):
    steady = clips.get(".mkv", rate=30, duration=2)  # Matroska's times are rounded to 1 ms
    assert probe(str(steady)).video.is_vfr is False
    wild = clips.get(".mkv", rate=30, duration=2, filters="select='lt(mod(n,11),4)'")
    assert probe(str(wild)).video.is_vfr is True
    gap = clips.get(".mkv", duration=4, filters="setpts='if(gt(N,60),PTS+0.02/TB,PTS)'")
    assert probe(str(gap)).video.is_vfr is False


def test_an_animated_webp_is_decoded_by_the_program(clips: ClipCache):
    clip = clips.get(".webp", codec="libwebp_anim", pix_fmt="yuva420p", options={"lossless": 1})
    info = probe(str(clip))
    assert (info.video.codec, info.duration, info.video.is_still) == ("webp", 2, False)
    assert [frame.number for frame in seen(clip, TENTHS[2:20:6])] == [5, 20, 35]


def test_a_still_webp_is_a_still(clips: ClipCache):
    clip = clips.get(".webp", codec="libwebp", duration=0.04, pix_fmt="yuv420p")
    assert probe(str(clip)).video.is_still


def test_a_live_recording_without_a_duration_is_read_through(clips: ClipCache):
    clip = clips.get(".webm", codec="libvpx-vp9", options={"live": 1, "cpu-used": 8})
    assert probe(str(clip)).duration == 2


def test_a_raw_stream_says_that_its_pictures_are_counted(clips: ClipCache):
    info = probe(str(clips.get(".h264", duration=2)))
    assert info.duration == 2
    assert info.warnings == ("the file carries no times; its pictures are counted at 25 a second",)
    assert info.video.is_vfr is None


def test_subtitles_and_chapters_are_listed(clips: ClipCache, tmp_path):
    told = corpus.with_subtitles_and_chapters(clips.get(duration=2), tmp_path / "told.mkv")
    info = probe(str(told))
    assert [(line.codec, line.language, line.is_text) for line in info.subtitles] == [
        ("subrip", "ger", True)
    ]
    assert [(part.title, part.span.start, part.span.end) for part in info.chapters] == [
        ("One", 0, 1),
        ("Two", 1, 2),
    ]
    assert info.title == "Tale"


@pytest.mark.parametrize(("default", "width"), [(0, 64), (1, 320), (None, 320)])
def test_of_several_pictures_the_default_then_the_largest(clips, tmp_path, default, width):
    both = corpus.two_pictures(clips, tmp_path / "both.mkv", default=default)
    info = probe(str(both))
    assert info.video.display_size[0] == width
    assert decode(both, [Fraction(1, 2)])[0].image.shape[1] == width


def test_an_edit_list_is_obeyed(clip, tmp_path):
    cut = corpus.edited(clip, tmp_path / "cut.mp4", start=1.3)
    info = probe(str(cut))
    assert info.duration is not None
    assert abs(info.duration - Fraction(27, 10)) < Fraction(1, 10)
    times = [Fraction(n, 10) for n in range(0, 25, 3)]
    numbers = [frame.number for frame in seen(cut, times)]
    assert numbers == [frame.number for frame in on_screen(timeline(cut), times)]
    assert abs(numbers[0] - 33) <= 1


def test_one_frame_in_ten_seconds(clips: ClipCache):
    clip = clips.get(rate=Fraction(1, 10), duration=50)
    assert probe(str(clip)).duration == 50
    assert [frame.number for frame in seen(clip, [0, 5, 15, 49])] == [0, 1, 4]


def test_times_count_from_the_first_picture(clips: ClipCache):
    late = clips.get(".mkv", filters="setpts=PTS+0.023/TB")
    frames = seen(late, [0, 1])
    assert [(frame.time, frame.number) for frame in frames] == [(0, 0), (1, 25)]
    assert probe(str(late)).duration == 2


@pytest.mark.parametrize(
    "name",
    [
        b"with space.mp4",
        b"-dash.mp4",
        b"--help",
        b"colon:x.mp4",
        b"http:x.mp4",
        b"concat:a|b.mp4",
        b"quote'\".mp4",
        b"new\nline.mp4",
        b"percent%03d.mp4",
        b"percent%03d.jpg",
        b"[1]*?.mp4",
        b"back\\slash.mp4",
        "ünïcode 視頻.mp4".encode(),
        b"not\xff\xfeutf8.mp4",
    ],
)
def test_any_file_name_works(clip, tmp_path, monkeypatch, name):
    try:
        shutil.copy(clip, os.path.join(os.fsencode(tmp_path), name))
    except OSError:
        pytest.skip("this file system refuses such a name")
    monkeypatch.chdir(tmp_path)
    path = os.fsdecode(name)
    info = probe(path)
    assert info.path == path
    assert [frame.number for frame in seen(Path(path), [1])] == [25]


def test_a_name_works_with_the_ffmpeg_program_too(clips: ClipCache, tmp_path, monkeypatch):
    clip = clips.get(".webp", codec="libwebp_anim", pix_fmt="yuva420p", options={"lossless": 1})
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"-odd %d\n'\xc3\xa9.webp")
    shutil.copy(clip, name)
    assert probe(name).duration == 2


def test_a_file_that_may_not_be_read_is_told(clip, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refuse)  # the tests may run as root, whom no mode stops
    with pytest.raises(MediaError, match="may not be read by you"):
        probe(str(clip))


def test_a_missing_file_is_told():
    with pytest.raises(MediaError, match=r"nowhere\.mp4 does not exist"):
        probe("nowhere.mp4")


def test_a_directory_a_pipe_and_a_device_are_no_files(tmp_path):
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    assert "is a directory" in what_is_wrong(tmp_path)
    assert "is a pipe" in what_is_wrong(pipe)
    assert "is a device" in what_is_wrong(Path("/dev/null"))


def test_a_name_with_a_nul_is_refused():
    with pytest.raises(MediaError, match="cannot be read"):
        probe("a\0b.mp4")


def test_no_ffmpeg_on_the_path_is_fine(clips: ClipCache, monkeypatch):
    clip = clips.get(".webp", codec="libwebp_anim", pix_fmt="yuva420p", options={"lossless": 1})
    monkeypatch.setenv("PATH", "")
    assert probe(str(clip)).duration == 2
    assert [frame.number for frame in seen(clips.get(duration=1), [Fraction(1, 5)])] == [5]


def test_sizes_and_rates_come_as_the_file_says(clips: ClipCache):
    clip = clips.get(".mkv", size=(193, 109), rate=Fraction(30000, 1001), pix_fmt="yuv444p")
    video = probe(str(clip)).video
    assert video.coded_size == video.display_size == (193, 109)
    assert video.average_rate == Fraction(30000, 1001)
    assert video.pixel_format == "yuv444p"
    assert video.codec == "h264"


def test_audio_streams_are_listed(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", duration=1, audio=True)
    (audio,) = probe(str(clip)).audio
    assert (audio.codec, audio.sample_rate, audio.channels) == ("aac", 16000, 1)
