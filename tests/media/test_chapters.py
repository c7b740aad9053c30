"""Chapter marks in a copy read back as they were, and the original is never touched."""

import hashlib
import os
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clips import FFMPEG, ClipCache
from vidcli.core.ffmetadata import escape_value, write_ffmetadata
from vidcli.core.media import Chapter
from vidcli.core.time import Span
from vidcli.errors import MediaError, ResourceError
from vidcli.media import chapters as module
from vidcli.media.chapters import write_chapters
from vidcli.media.probe import probe

TITLES = ("Red = #1; a\\b", "Grün\nzwei 🎥 %03d", "'\"` $(x)")
MARKS = [Chapter(Span(Fraction(n), Fraction(n + 1)), title) for n, title in enumerate(TITLES)]


def run_ffmpeg(*words: str | Path) -> None:
    subprocess.run([FFMPEG, "-nostdin", "-loglevel", "error", *map(str, words)], check=True)


def read(path: Path) -> list[tuple[float, float, str]]:
    return [(float(c.span.start), float(c.span.end), c.title) for c in probe(str(path)).chapters]


def wanted(marks: Sequence[Chapter] = MARKS) -> list[tuple[float, float, str]]:
    return [(float(c.span.start), float(c.span.end), c.title) for c in marks]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def packets(path: Path) -> list[str]:
    """Digests of the compressed pictures."""
    with av.open(str(path)) as container:
        found = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    return [hashlib.sha256(data).hexdigest() for data in found]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
@pytest.mark.parametrize("b_frames", [0, 3])
def test_marks_read_back_at_their_times_with_their_titles(
    suffix: str, b_frames: int, clips: ClipCache, tmp_path: Path
):
    clip = clips.get(duration=3.0, b_frames=b_frames, audio=True)
    before, target = digest(clip), tmp_path / f"out{suffix}"
    assert write_chapters(str(clip), target, MARKS, overwrite=False) == ()
    assert read(target) == wanted()
    assert digest(clip) == before
    assert len(packets(target)) == len(packets(clip)) == 75
    assert probe(str(target)).audio
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize("kind", ["late pictures", "transport stream", "avi"])
def test_the_clock_is_the_pictures_own(kind: str, suffix: str, clips: ClipCache, tmp_path: Path):
    clip = clips.get(duration=3.0, b_frames=2)
    if kind == "avi":
        source = tmp_path / "in.avi"
        run_ffmpeg("-i", clip, "-c:v", "mpeg4", source)
    elif kind == "transport stream":
        source = tmp_path / "in.ts"
        run_ffmpeg("-i", clip, "-c", "copy", source)
    else:
        source = tmp_path / "in.mkv"
        tone = ("-f", "lavfi", "-i", "sine=d=5")
        run_ffmpeg(
            *tone, "-itsoffset", "1", "-i", clip, "-c:v", "copy", "-map", "0", "-map", "1", source
        )
    target = tmp_path / f"out{suffix}"
    write_chapters(str(source), target, MARKS, overwrite=False)
    found = read(target)
    assert [title for _, _, title in found] == list(TITLES)
    assert [start for start, _, _ in found] == pytest.approx([0, 1, 2], abs=0.002)


def test_the_marks_replace_those_the_file_had(clips: ClipCache, tmp_path: Path):
    clip, middle, target = clips.get(duration=3.0), tmp_path / "a.mp4", tmp_path / "b.mkv"
    write_chapters(str(clip), middle, MARKS, overwrite=False)
    assert write_chapters(str(middle), target, MARKS[:1], overwrite=False) == ()
    assert read(target) == wanted(MARKS[:1])


@pytest.mark.parametrize(
    ("inside", "suffix", "codec", "note"),
    [
        (".mp4", ".mkv", "subrip", "are written as srt, not mov_text"),
        (".mkv", ".mp4", "mov_text", "are written as mov_text, not subrip"),
        (".mkv", ".mkv", "subrip", None),
    ],
)
def test_subtitles_come_along_in_a_form_that_fits(
    inside: str, suffix: str, codec: str, note: str | None, clips: ClipCache, tmp_path: Path
):
    (tmp_path / "s.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    source, target = tmp_path / f"in{inside}", tmp_path / f"out{suffix}"
    own = "mov_text" if inside == ".mp4" else "srt"
    run_ffmpeg(
        "-i", clips.get(duration=3.0), "-i", tmp_path / "s.srt", "-c:v", "copy", "-c:s", own, source
    )
    notes = write_chapters(str(source), target, MARKS, overwrite=False)
    assert [stream.codec for stream in probe(str(target)).subtitles][:1] == [codec]
    assert read(target) == wanted()
    assert [note in text for text in notes] == [True] if note else notes == ()


def test_a_font_that_an_mp4_cannot_hold_is_left_out_and_told_of(clips: ClipCache, tmp_path: Path):
    (tmp_path / "f.ttf").write_bytes(b"font")
    source = tmp_path / "in.mkv"
    run_ffmpeg(
        "-i", clips.get(duration=3.0), "-c", "copy", "-attach", tmp_path / "f.ttf",
        "-metadata:s:t", "mimetype=font/ttf", source,
    )  # fmt: skip
    notes = write_chapters(str(source), tmp_path / "out.mp4", MARKS, overwrite=False)
    assert notes == ("stream #1 (attachment) is left out",)
    assert write_chapters(str(source), tmp_path / "out.mkv", MARKS, overwrite=False) == ()


def test_a_file_that_is_there_stays_unless_asked(clips: ClipCache, tmp_path: Path):
    clip, target = clips.get(duration=3.0), tmp_path / "out.mkv"
    target.write_text("mine")
    with pytest.raises(ResourceError, match="is there already"):
        write_chapters(str(clip), target, MARKS, overwrite=False)
    assert target.read_text() == "mine"
    write_chapters(str(clip), target, MARKS, overwrite=True)
    assert read(target) == wanted()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


def test_a_container_that_cannot_hold_the_pictures_leaves_nothing(clips: ClipCache, tmp_path: Path):
    with pytest.raises(MediaError, match="cannot be written") as failed:
        write_chapters(str(clips.get()), tmp_path / "out.webm", MARKS, overwrite=False)
    assert failed.value.hint is not None
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_told_of_before(
    clips: ClipCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MARGIN_BYTES", 1 << 60)
    with pytest.raises(ResourceError, match="MiB of disk"):
        write_chapters(str(clips.get()), tmp_path / "out.mkv", MARKS, overwrite=False)
    with pytest.raises(ResourceError, match="cannot write"):
        write_chapters(str(clips.get()), tmp_path / "no" / "out.mkv", MARKS, overwrite=False)


def test_any_name_will_do(clips: ClipCache, tmp_path: Path):
    source = tmp_path / "-in %03d\n'é.mp4"
    source.write_bytes(clips.get(duration=3.0).read_bytes())
    target = tmp_path / "-out %03d\n'é.mkv"
    write_chapters(str(source), target, MARKS, overwrite=False)
    assert read(target) == wanted()


@given(st.text())
def test_a_value_is_escaped_so_that_it_stays_one_value(text: str):
    escaped = escape_value(text)
    unescaped, letters = "", iter(escaped)
    for letter in letters:
        unescaped += next(letters) if letter == "\\" else letter
    assert unescaped == text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    file = write_ffmetadata([(0, 1, text)])
    assert file.startswith(";FFMETADATA1\n[CHAPTER]\n")
    assert file.endswith(f"title={escaped}\n")


def test_a_cover_goes_where_it_can_and_is_told_of_where_not(clips: ClipCache, tmp_path: Path):
    cover, source = tmp_path / "cover.png", tmp_path / "in.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=s=32x32", "-frames:v", "1", cover)
    maps = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic")
    run_ffmpeg("-i", clips.get(duration=3.0), "-i", cover, *maps, source)
    for suffix, notes in ((".mp4", ()), (".mkv", ("stream #1 (a cover picture) is left out",))):
        target = tmp_path / f"out{suffix}"
        assert write_chapters(str(source), target, MARKS, overwrite=False) == notes
        assert probe(str(target)).video.codec == "h264"
        assert read(target) == wanted()


def test_a_timecode_comes_along(clips: ClipCache, tmp_path: Path):
    source, target = tmp_path / "in.mov", tmp_path / "out.mov"
    run_ffmpeg("-i", clips.get(duration=3.0), "-c", "copy", "-timecode", "01:00:00:00", source)
    assert write_chapters(str(source), target, MARKS, overwrite=False) == ()
    with av.open(str(target)) as container:
        assert "01:00:00" in container.streams.video[0].metadata["timecode"]
    assert read(target) == wanted()


def test_what_a_killed_run_left_is_removed_later(clips: ClipCache, tmp_path: Path):
    old, fresh = (tmp_path / f".vidcli-draft-{name}.tmp.mkv" for name in ("old", "fresh"))
    for path in (old, fresh):
        path.touch()
    os.utime(old, (1, 1))
    write_chapters(str(clips.get(duration=3.0)), tmp_path / "out.mkv", MARKS, overwrite=False)
    assert (old.exists(), fresh.exists()) == (False, True)
