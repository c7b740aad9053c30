"""Files that other tools stumble over, made on the spot."""

import subprocess
from pathlib import Path

import ffmpeg

from tests.clips import FFMPEG, ClipCache, make_clip, run_ffmpeg


def cut_in_half(source: Path, target: Path) -> Path:
    """The first half of a file's bytes: a download that broke off."""
    data = source.read_bytes()
    target.write_bytes(data[: len(data) // 2])
    return target


def damage_middle(source: Path, target: Path, *, length: int) -> Path:
    """A copy with `length` bytes in the middle overwritten."""
    data = bytearray(source.read_bytes())
    start = len(data) // 2
    data[start : start + length] = bytes(n * 37 % 251 for n in range(length))
    target.write_bytes(data)
    return target


def without_index(source: Path, target: Path) -> Path:
    """An MP4 up to its last box, the index: a recording that was never finished."""
    data = source.read_bytes()
    target.write_bytes(data[: data.rindex(b"moov") - 4])
    return target


def make_sound(path: Path) -> Path:
    """One second of a tone and no picture."""
    run_ffmpeg(ffmpeg.output(ffmpeg.input("sine=duration=1", format="lavfi"), str(path)))
    return path


def make_cover(path: Path) -> Path:
    """A JPEG of 64 by 64 pixels."""
    return make_clip(
        path,
        duration=0.04,
        size=(64, 64),
        codec="mjpeg",
        pix_fmt="yuvj420p",
        options={"update": 1},
    )


def with_cover(source: Path, cover: Path, target: Path) -> Path:
    """The file with a cover picture attached after its own streams."""
    streams = [ffmpeg.input(str(source)), ffmpeg.input(str(cover))]
    kind = {"disposition:v": "attached_pic"}
    if source.suffix == ".mp4":
        kind = {"disposition:v:1": "attached_pic"}
    run_ffmpeg(ffmpeg.output(*streams, str(target), c="copy", **kind))
    return target


def edited(source: Path, target: Path, *, start: float) -> Path:
    """Cut without decoding at an instant that is no keyframe: the MP4 gets an edit list."""
    run_ffmpeg(ffmpeg.output(ffmpeg.input(str(source), ss=start), str(target), c="copy"))
    return target


def two_pictures(clips: ClipCache, target: Path, *, default: int | None) -> Path:
    """A small and a large picture stream; `default` marks one of them."""
    small = clips.get(duration=1, size=(64, 36))
    large = clips.get(duration=1, size=(320, 180))
    marks = {f"disposition:v:{place}": "default" if place == default else "0" for place in (0, 1)}
    streams = [ffmpeg.input(str(path)) for path in (small, large)]
    run_ffmpeg(ffmpeg.output(*streams, str(target), c="copy", **marks))
    return target


def with_subtitles_and_chapters(source: Path, target: Path) -> Path:
    """The clip with one subtitle line and the chapters "One" and "Two"."""
    lines = target.with_suffix(".srt")
    lines.write_text("1\n00:00:00,500 --> 00:00:01,500\nHello\n\n")
    chapters = target.with_suffix(".txt")
    chapters.write_text(
        ";FFMETADATA1\ntitle=Tale\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n"
    )
    inputs = [word for path in (source, lines, chapters) for word in ("-i", str(path))]
    choices = ["-map", "0", "-map", "1", "-map_metadata", "2", "-c", "copy", "-c:s", "srt"]
    choices += ["-metadata:s:s:0", "language=ger"]
    # ffmpeg-python leaves out an input that gives no stream, as the chapters do
    subprocess.run([FFMPEG, "-loglevel", "error", *inputs, *choices, str(target)], check=True)
    return target
