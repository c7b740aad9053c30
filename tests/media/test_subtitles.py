"""Subtitles are found by name, read in any charset and form, and put on the video's clock."""

import subprocess
from pathlib import Path

import pytest

from tests.clips import FFMPEG, ClipCache
from vidcli.errors import MediaError
from vidcli.media.probe import probe
from vidcli.media.subtitles import (
    decode_text,
    find_sidecars,
    read_subtitle_file,
    read_subtitle_stream,
)
from vidcli.media.worker import DecoderWorker

SRT = (
    "1\n00:00:01,000 --> 00:00:02,500\nHello <i>there</i>\nyou\n\n"
    "2\n00:00:03,000 --> 00:00:04,000\n{\\an8}Bye &amp; bye\n"
)
VTT = (
    "WEBVTT - title\n\nNOTE not said\n\nSTYLE\n::cue { color: red }\n\n"
    "id\n00:01.000 --> 00:02.500 align:start\nHello <c.red>there</c>\nyou\n\n"
    "00:03.000 --> 00:04.000\nBye &amp; bye\n"
)
ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Hello {\\i1}there{\\i0}\\Nyou\n"
    "Dialogue: 0,0:00:01.00,0:00:09.00,Default,,0,0,0,,{\\p1}m 0 0 l 10 10{\\p0}\n"
    "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,Bye & bye\n"
)
SAID = [(1, 2.5, "Hello there\nyou"), (3, 4, "Bye & bye")]


def plain(cues: object) -> list[tuple[float, float, str]]:
    return [(float(c.span.start), float(c.span.end), c.text) for c in cues]  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", [SRT, VTT, ASS], ids=["srt", "vtt", "ass"])
@pytest.mark.parametrize("form", ["{}", "\ufeff\n{}", "crlf"])
def test_every_form_gives_the_same_words(text: str, form: str, tmp_path: Path):
    path = tmp_path / "any.name"
    content = text.replace("\n", "\r\n") if form == "crlf" else form.format("") + text
    path.write_bytes(content.encode())
    cues, charset = read_subtitle_file(str(path))
    assert (plain(cues), charset) == (SAID, "")


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_charset(charset: str, tmp_path: Path):
    path = tmp_path / "talk.srt"
    path.write_bytes(SRT.replace("you", "Größe 日本 🎥").encode(charset))
    cues, guessed = read_subtitle_file(str(path))
    assert (cues[0].text, guessed) == ("Hello there\nGröße 日本 🎥", "")


@pytest.mark.parametrize(
    ("said", "charset", "language"),
    [
        ("Привет, как дела? Сегодня мы поговорим о погоде.", "cp1251", None),
        ("Привет", "cp1251", "ru"),
        ("Grüße aus München, schöne Straße", "cp1252", None),
        ("Grüße there.", "cp1252", None),
        ("Où est la bibliothèque, garçon ?", "cp1252", "fr"),
        ("Zażółć gęślą jaźń", "cp1250", "pl-PL"),
        ("Καλημέρα", "cp1253", "el"),
        ("こんにちは。今日は天気がいいですね。", "cp932", None),
        ("你好,今天天气很好,我们出去走走吧", "gb18030", None),
    ],
)
def test_old_charsets_are_told_by_language_or_likelihood(
    said: str, charset: str, language: str | None
):
    assert decode_text(said.encode(charset), language) == (said, charset)


@pytest.mark.parametrize("raw", [bytes(range(256)), b"\xff" * 50, b"\x81\x8d"])
def test_bytes_that_are_no_text_are_read_as_something(raw: bytes):
    assert decode_text(raw)[0]


def test_damaged_lines_lose_nothing_that_is_whole(tmp_path: Path):
    path = tmp_path / "talk.srt"
    torn = "\n3\n00:00:05,000 --> \ntorn\n\n4\n00:00:06,000 --> 00:00:07,000\nwhole\n"
    path.write_text("junk\n\n00:00 -> 3\nlost\n\n" + SRT + torn)
    cues, _ = read_subtitle_file(str(path))
    assert [cue.text.split("\n")[0] for cue in cues] == ["Hello there", "Bye & bye", "whole"]
    assert plain(cues)[0] == SAID[0]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf\n\n", b"WEBVTT\n"])
def test_a_file_without_words_holds_none(content: bytes, tmp_path: Path):
    path = tmp_path / "talk.vtt"
    path.write_bytes(content)
    assert read_subtitle_file(str(path)) == ((), "")


def test_a_file_that_cannot_be_read_is_a_media_error(tmp_path: Path):
    with pytest.raises(MediaError, match="cannot be read"):
        read_subtitle_file(str(tmp_path))


def test_sidecars_are_found_by_name_the_best_first(tmp_path: Path):
    names = (
        "talk.srt", "talk.en.srt", "talk.en.forced.srt", "talk.de.vtt", "talk.pt-BR.sdh.ass",
        "talk.mkv.vtt", "talk.SRT", "talk.EN.VTT",
    )  # fmt: skip
    others = ("talk.part2.srt", "talker.srt", "talk.chapters.vtt", "talk.txt", "other.srt")
    for name in (*names, *others, "talk.mkv"):
        (tmp_path / name).touch()
    (tmp_path / "talk.fr.srt").mkdir()
    found = find_sidecars(str(tmp_path / "talk.mkv"))
    assert [Path(sidecar.path).name for sidecar in found] == [
        "talk.SRT", "talk.srt", "talk.mkv.vtt", "talk.en.srt", "talk.EN.VTT", "talk.de.vtt",
        "talk.pt-BR.sdh.ass", "talk.en.forced.srt",
    ]  # fmt: skip
    assert [sidecar.language for sidecar in found][2:6] == [None, "en", "EN", "de"]
    assert find_sidecars("/nowhere/talk.mkv") == []


def test_a_name_of_any_bytes_has_its_sidecar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "día\n1 [x].srt").write_text(SRT)
    monkeypatch.chdir(tmp_path)
    (found,) = find_sidecars("día\n1 [x].mkv")
    assert plain(read_subtitle_file(found.path)[0]) == SAID


CODECS = [(".mkv", "srt"), (".mkv", "ass"), (".mp4", "mov_text"), (".webm", "webvtt")]


@pytest.mark.parametrize(("suffix", "codec"), CODECS)
def test_streams_are_read_on_the_video_s_clock(
    suffix: str, codec: str, clips: ClipCache, tmp_path: Path
):
    own = {".webm": {"codec": "libvpx"}}.get(suffix, {})
    clip = clips.get(suffix, duration=5.0, rate=5, **own)
    (tmp_path / "said.srt").write_text(SRT)
    path = tmp_path / f"with{suffix}"
    words = ["-i", clip, "-i", tmp_path / "said.srt", "-map", "0", "-map", "1", "-c:v", "copy"]
    words += ["-c:s", codec, "-metadata:s:s:0", "language=eng", "-output_ts_offset", "3", path]
    subprocess.run([FFMPEG, "-nostdin", "-loglevel", "error", *words], check=True)
    (stream,) = probe(str(path)).subtitles
    assert (stream.language, stream.is_text) == ("eng", True)
    cues = plain(read_subtitle_stream(str(path), stream.index))
    assert [(round(start, 2), round(end, 2), text) for start, end, text in cues] == SAID


def test_the_worker_reads_them_too(tmp_path: Path):
    (tmp_path / "said.srt").write_text(SRT)
    with DecoderWorker() as worker:
        cues, _ = worker.call("subtitle_file", str(tmp_path / "said.srt"), language=None)
        with pytest.raises(MediaError):
            worker.call("subtitle_file", str(tmp_path))
    assert plain(cues) == SAID
