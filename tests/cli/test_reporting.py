"""`--report`: a page of every video, with the pictures that were looked at, in the right place."""

import base64
import errno
import json
import os
import re
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.cli.folder import fill
from tests.cli.run import invoke, spawn
from tests.clips import ClipCache, read_number
from tests.output.reports import DEMO, SPEECH
from vidcli.cli import reporting
from vidcli.cli.footage import open_videos
from vidcli.cli.illustrating import MOST_STILLS, OWN_STILLS, Illustrator, choose_stills
from vidcli.output.progress import NoProgress
from vidcli.output.report.index import find_entries, read_entry
from vidcli.output.report.page import Page, Still, TrackKind
from vidcli.output.report.render import render_page

SHORT = ("--max-tokens", "4")

pytestmark = pytest.mark.usefixtures("model")


def run(*args: str | Path, code: int = 0) -> Any:
    result = invoke(*map(str, args), *SHORT)
    assert result.exit_code == code, result.stderr
    return result


def html_of(path: Path) -> str:
    return path.read_text("utf-8")


def row_of(html: str, kind: str) -> str:
    """What a row of the timeline holds."""
    return html.partition(f'<g class="row k-{kind}"')[2].partition("</g>")[0]


def pictures_of(path: Path) -> list[np.ndarray]:
    """RGB of every picture of the storyboard."""
    stills = html_of(path).partition('class="stills"')[2]
    found = re.findall(r'<img src="data:image/webp;base64,([^"]+)"', stills)
    packed = (np.frombuffer(base64.b64decode(text), np.uint8) for text in found)
    return [cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1] for data in packed]


def bare_page(**changes: Any) -> Page:
    parts = {"command": "ask", "video": "v", "title": "t", "answer": "a"}
    return Page(**{"start_s": 0.0, "end_s": 10.0, **parts, **changes})


# What is on it


@pytest.mark.parametrize(
    "words",
    [
        ("caption",),
        ("summarize",),
        ("ask", "What?"),
        ("check", "x"),
        ("find", "x"),
        ("dense",),
        ("agent", "What?"),
    ],
)
def test_commands_that_answer_make_a_page(words: tuple[str, ...], clip: Path, tmp_path: Path):
    command, *rest = words
    page = tmp_path / "r.html"
    result = invoke(command, str(clip), *rest, "--report", str(page))
    assert result.exit_code == 0 or command in ("check", "find")
    assert f"the report is {page}" in result.stderr
    assert str(page) not in result.stdout
    entry = read_entry(page)
    assert entry is not None
    assert (entry.command, entry.video) == (command, clip.name)
    assert pictures_of(page)


def test_pictures_are_the_frames_the_model_was_shown(clips: ClipCache, tmp_path: Path):
    """Of 24 frames a second, documents round most times down to before their frame."""
    video = clips.get(duration=5.0, rate=24)
    asked = ("ask", video, "What?", "--frames", "7")
    made = json.loads(run(*asked, "--json", "--report", tmp_path / "r.html").stdout)
    times = [frame["time_s"] for frame in made["frames"]]
    assert len(times) > 5
    assert any(Fraction(time) < Fraction(round(time * 24), 24) for time in times)
    shown = [read_number(picture) for picture in pictures_of(tmp_path / "r.html")]
    assert shown == [round(time * 24) for time in times]


def test_shots_and_speech_of_the_video_are_on_the_timeline(tmp_path: Path):
    video = Path(shutil.copy(DEMO, tmp_path / "v.mp4"))
    (tmp_path / "v.en.srt").write_text(SPEECH)
    run("caption", video, "--report", tmp_path / "r.html")
    html = html_of(tmp_path / "r.html")
    shots = row_of(html, "shots")
    assert re.findall(r'data-start="([\d.]+)" data-end="([\d.]+)"', shots) == [
        ("0.0", "5.0"),
        ("5.0", "10.0"),
    ]
    assert "Here comes the ball &amp; it rolls." in html
    assert 'kind="captions" label="Speech" srclang="en"' in html


def test_a_summary_shows_no_speech_it_was_told_not_to_read(tmp_path: Path):
    video = Path(shutil.copy(DEMO, tmp_path / "v.mp4"))
    (tmp_path / "v.srt").write_text(SPEECH)
    run("summarize", video, "--subtitles", "none", "--report", tmp_path / "r.html")
    assert "Here comes" not in html_of(tmp_path / "r.html")


def test_text_on_the_screen_is_read_where_it_is_asked_for(tmp_path: Path):
    video = Path(shutil.copy(DEMO, tmp_path / "v.mp4"))
    run("caption", video, "--report", tmp_path / "r.html")
    assert "On-screen text: not read; --report-text reads it" in html_of(tmp_path / "r.html")
    run("caption", video, "--report", tmp_path / "r.html", "--report-text")
    screen = row_of(html_of(tmp_path / "r.html"), "screen")
    assert ">END</text>" in screen


def test_a_video_without_a_length_has_a_page_too(tmp_path: Path):
    cv2.imwrite(str(tmp_path / "still.png"), np.full((36, 64, 3), 90, np.uint8))
    run("caption", tmp_path / "still.png", "--report", tmp_path / "r.html")
    assert len(pictures_of(tmp_path / "r.html")) == 1
    assert "a picture has none" in html_of(tmp_path / "r.html")


def test_what_no_frame_was_looked_at_for_gets_pictures_of_its_own():
    stills, note = choose_stills(bare_page(start_s=2.0, end_s=8.0))
    assert len(stills) == OWN_STILLS
    assert (stills[0].time_s, stills[-1].time_s) == (2.25, 7.75)
    assert note


def test_a_storyboard_is_bounded_and_says_what_it_leaves_out():
    many = tuple(Still(n / 100) for n in range(1000))
    stills, note = choose_stills(bare_page(stills=many))
    assert len(stills) == MOST_STILLS
    assert (stills[0], stills[-1]) == (many[0], many[-1])
    assert note == "96 of 1000 frames are shown, evenly chosen."


def test_even_noise_makes_no_large_page(clips: ClipCache, tmp_path: Path):
    def noise(number: int, size: tuple[int, int]) -> np.ndarray:
        generator = np.random.default_rng(number)
        return generator.integers(0, 256, (size[1], size[0], 3), np.uint8)

    video = clips.get(duration=20.0, rate=5, size=(640, 360), draw=noise)
    page = bare_page(end_s=20.0, stills=tuple(Still(n / 5) for n in range(100)))
    with open_videos() as open_video:
        shown = Illustrator(
            open_video(str(video)), speech="none", open_reader=None, progress=NoProgress()
        ).illustrate(page)
    assert len(shown.stills) == MOST_STILLS
    assert len(render_page(shown)) < 4_000_000


def test_long_videos_are_not_read_through_for_shots(clips: ClipCache):
    video = clips.get(duration=1500.0, rate=Fraction(1, 10), size=(64, 36))
    page = bare_page(end_s=1500.0, stills=(Still(0.0),))
    with open_videos() as open_video:
        shown = Illustrator(
            open_video(str(video)), speech="none", open_reader=None, progress=NoProgress()
        ).illustrate(page)
    shots = next(track for track in shown.tracks if track.kind is TrackKind.SHOTS)
    assert (shots.marks, shots.note) == ((), "not looked for in more than 20 minutes")


# Where it goes


def test_a_page_of_ours_is_replaced_and_anything_else_is_not(clip: Path, tmp_path: Path):
    page = tmp_path / "r.html"
    run("caption", clip, "--report", page)
    run("ask", clip, "What?", "--report", page)
    assert "What?" in html_of(page)
    page.write_text("<!doctype html><title>mine</title>")
    result = run("caption", clip, "--report", page, code=2)
    assert "is there already and is no report" in result.stderr
    assert "mine" in html_of(page)
    assert result.stdout == ""  # before any work


@pytest.mark.parametrize(
    ("name", "message"),
    [("r.txt", "names no page"), ("r", "names no page"), ("file/r.html", "cannot be made")],
)
def test_a_place_that_cannot_be_is_told_before_any_work(
    name: str, message: str, clip: Path, tmp_path: Path
):
    (tmp_path / "file").touch()
    result = run("caption", clip, "--report", tmp_path / name, code=2)
    assert message in result.stderr
    assert result.stdout == ""


def test_report_text_without_a_report_is_a_mistake(clip: Path):
    assert "--report FILE.html" in run("caption", clip, "--report-text", code=2).stderr


def test_a_dry_run_writes_no_page(clip: Path, tmp_path: Path):
    run("caption", clip, "--dry-run", "--report", tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_a_page_that_cannot_be_written_is_an_error_and_leaves_nothing(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    result = run("caption", clip, "--report", tmp_path / "r.html", code=5)
    assert "No space left on device" in result.stderr
    assert list(tmp_path.iterdir()) == []


# Many


def test_a_folder_gets_a_page_each_and_an_index(clip: Path, tmp_path: Path):
    videos, pages = tmp_path / "videos", tmp_path / "pages"
    fill(videos, clip, "a.mp4", "b c.mp4", "sub/d.mp4", "index.mp4")
    result = run("caption", videos, "-r", "--report", f"{pages}/")
    found = {str(path.relative_to(pages)) for path in pages.rglob("*.html")}
    assert found == {"a.html", "b c.html", "sub/d.html", "index.mp4.html", "index.html"}
    assert f"all reports are listed in {pages / 'index.html'}" in result.stderr
    entry = read_entry(pages / "sub" / "d.html")
    assert entry is not None
    assert entry.source == "../../videos/sub/d.mp4"
    assert [entry.video for entry in find_entries(pages)] == [
        "a.mp4",
        "b c.mp4",
        "index.mp4",
        "d.mp4",
    ]


def test_pages_of_an_earlier_run_are_made_again_without_the_model(clip: Path, tmp_path: Path):
    videos, pages = tmp_path / "videos", tmp_path / "pages"
    fill(videos, clip, "a.mp4", "b.mp4")
    run("caption", videos)
    result = run("caption", videos, "--report", f"{pages}/")
    assert "done 0, skipped 2" in result.stderr
    assert len(list(pages.glob("*.html"))) == 3
    before = {path.name: path.read_bytes() for path in pages.iterdir()}
    run("caption", videos, "--report", pages)
    assert {path.name: path.read_bytes() for path in pages.iterdir()} == before


def test_names_that_clash_are_told_apart_and_what_is_not_ours_is_kept(clip: Path, tmp_path: Path):
    videos, pages = tmp_path / "videos", tmp_path / "pages"
    fill(videos, clip, "a.mkv", "a.mp4", "b.mp4")
    pages.mkdir()
    (pages / "b.html").write_text("mine")
    run("caption", videos, "--report", pages)
    run("caption", videos, "--report", pages)  # each finds its own again
    found = {path.name: read_entry(path) for path in pages.iterdir() if path.name != "index.html"}
    sources = {name: entry.source if entry else None for name, entry in found.items()}
    assert sources == {
        "a.html": "../videos/a.mkv",
        "a.mp4.html": "../videos/a.mp4",
        "b.html": None,
        "b.mp4.html": "../videos/b.mp4",
    }
    assert (pages / "b.html").read_text() == "mine"


def test_one_page_cannot_be_about_many(clip: Path, tmp_path: Path):
    fill(tmp_path, clip, "a.mp4", "b.mp4")
    result = run("caption", tmp_path, "--report", tmp_path / "r.html", code=2)
    assert f"--report {tmp_path / 'r'}/" in result.stderr


def test_a_broken_video_costs_the_others_nothing(clip: Path, broken: Path, tmp_path: Path):
    (good,) = fill(tmp_path / "videos", clip, "a.mp4")
    run("caption", good, broken, "--report", f"{tmp_path}/pages/", code=8)
    assert {path.name for path in (tmp_path / "pages").iterdir()} == {"a.html", "index.html"}


def test_a_name_of_any_bytes_gets_its_page(clip: Path, tmp_path: Path):
    name = b'new\nline "quoted" 100%25 \xff.mp4'
    shutil.copy(clip, os.path.join(os.fsencode(tmp_path), name))
    result = spawn(
        "caption", os.path.join(os.fsencode(tmp_path), name), *SHORT, "--report", f"{tmp_path}/p/"
    )
    assert result.returncode == 0, result.stderr
    html = html_of(next(path for path in (tmp_path / "p").iterdir() if path.name != "index.html"))
    assert 'src="../new%0Aline%20%22quoted%22%20100%2525%20%FF.mp4"' in html
    assert "new\\nline &#34;quoted&#34; 100%25 \\xff.mp4" in html


def test_the_index_is_never_taken_for_a_page(clip: Path, tmp_path: Path):
    run("caption", clip, "--report", f"{tmp_path}/")
    assert read_entry(tmp_path / "index.html") is None
    with pytest.raises(reporting.UsageError, match="is no report"):
        reporting.require_ours(tmp_path / "index.html")
