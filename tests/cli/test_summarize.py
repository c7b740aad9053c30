"""`summarize` as people use it: a real small model, real videos of known truth."""

import csv
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import jsonschema
import numpy as np
import pytest

from tests.cli.folder import fill, read_documents
from tests.cli.run import invoke, shell, spawn
from tests.clips import FFMPEG, ClipCache
from vidcli.library.segments import NAME
from vidcli.media.probe import probe
from vidcli.output.schema import load_schema
from vidcli.settings import state_dir

pytestmark = pytest.mark.usefixtures("model")
COLORS = ((200, 30, 30), (30, 200, 30), (30, 30, 200))
SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello there.\n"
SHORT = ("--max-tokens", "8")


def draw_colors(number: int, size: tuple[int, int]) -> np.ndarray:
    """Another colour every five seconds, at five frames a second."""
    return np.full((size[1], size[0], 3), COLORS[number // 25 % 3], np.uint8)


@pytest.fixture
def colors(clips: ClipCache) -> Path:
    """Fifteen seconds: red, green from 5 s, blue from 10 s."""
    return clips.get(duration=15, rate=5, size=(64, 36), draw=draw_colors)


def summarize(*args: str | Path, code: int = 0) -> str:
    result = invoke("summarize", *map(str, args), *SHORT)
    assert result.exit_code == code, result.stderr
    return result.stdout


def document_of(*args: str | Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(summarize(*args, "--json"))
    jsonschema.validate(made, load_schema("summary"))
    return made


def kept_pieces() -> dict[str, float]:
    """When each kept piece was made, by its key."""
    database = sqlite3.connect(state_dir() / NAME)
    try:
        return dict(database.execute("SELECT key, made FROM pieces").fetchall())
    finally:
        database.close()


def test_segments_and_chapters_begin_where_the_colours_change(colors: Path):
    made = document_of(colors)
    assert [(s["start_s"], s["end_s"]) for s in made["segments"]] == [(0, 5), (5, 10), (10, 15)]
    assert {chapter["start_s"] for chapter in made["chapters"]} <= {0, 5, 10}
    assert (made["chapters"][0]["start_s"], made["chapters"][-1]["end_s"]) == (0, 15)
    for segment in made["segments"]:
        times = [frame["time_s"] for frame in segment["frames"]]
        assert segment["start_s"] <= times[0] <= times[-1] < segment["end_s"]
    assert made["coverage"]["largest_gap"]["length_s"] == 5
    assert "6 of 9 frames look like the one before: left out" in made["warnings"]
    assert made["title"]
    assert made["summary"]
    assert made["speech"] is None
    assert made["chapters_from"] == "model"


def test_text_ends_with_chapters_and_stderr_says_what_it_rests_on(colors: Path):
    result = invoke("summarize", str(colors), *SHORT)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].lstrip().split()[0] in ("0:00", "0:05", "0:10")
    assert "3 segments, 3 frames, 0:00–0:15, largest unseen gap" in result.stderr
    assert "no subtitles" in result.stderr


def test_a_second_run_captions_nothing_again_and_says_the_same(colors: Path):
    first = document_of(colors)
    made = kept_pieces()
    second = document_of(colors)
    assert kept_pieces() == made
    assert second["usage"]["visual_tokens"] == second["usage"]["completion_tokens"] == 0
    assert (second["timings_s"]["encode"], second["timings_s"]["generate"]) == (0, 0)
    assert all(segment["from_cache"] for segment in second["segments"])
    for name in ("title", "summary", "chapters", "coverage", "warnings"):
        assert first[name] == second[name]
    document_of(colors, "--overwrite")
    assert all(made[key] < when for key, when in kept_pieces().items())


@pytest.mark.parametrize("changed", [("--frames", "1"), ("--detail", "low"), ("--seed", "3")])
def test_a_changed_setting_captions_anew(colors: Path, changed: tuple[str, str]):
    document_of(colors)
    assert not any(segment["from_cache"] for segment in document_of(colors, *changed)["segments"])


def test_no_cache_keeps_nothing(colors: Path):
    made = document_of(colors, "--no-cache")
    assert made["usage"]["cache"]["visual_tokens"] == "off"
    assert not (state_dir() / NAME).exists()


def test_a_span_segments_and_gaps_are_what_was_asked_for(colors: Path):
    made = document_of(colors, "--from", "4", "--to", "9", "--segment", "2")
    spans = [(s["start_s"], s["end_s"]) for s in made["segments"]]
    assert spans == [(4, 5), (5, 7), (7, 9)]


def test_frames_of_a_segment_and_gaps_are_bounded(clips: ClipCache):
    moving = clips.get(duration=15.0, rate=5, size=(64, 36))
    close = document_of(moving, "--max-gap", "1")
    assert close["coverage"]["largest_gap"]["length_s"] <= 1.01
    few = document_of(moving, "--frames", "2")
    assert {len(segment["frames"]) for segment in few["segments"]} == {2}


@pytest.mark.parametrize("rule", ["uniform", "keyframes", "fps"])
def test_other_rules_part_evenly(colors: Path, rule: str):
    made = document_of(colors, "--select", rule, "--segment", "7.5")
    assert [(s["start_s"], s["end_s"]) for s in made["segments"]] == [(0, 7.5), (7.5, 15)]
    assert made["method"] == rule


@pytest.mark.parametrize(
    ("duration", "rate", "n"),
    [(0.04, 25, 1), (1.0, 5, 1), (4.0, 5, 1)],
    ids=["frame", "1s", "shot"],
)
def test_one_shot_and_one_frame_are_one_chapter(
    clips: ClipCache, duration: float, rate: int, n: int
):
    made = document_of(clips.get(duration=duration, rate=rate, size=(64, 36)))
    assert len(made["segments"]) == len(made["chapters"]) == n
    assert made["coverage"]["frames"] >= 1


def test_a_still_picture_is_summarized(tmp_path: Path):
    path = tmp_path / "still.png"
    command = [
        FFMPEG,
        "-loglevel",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc=s=64x36",
        "-frames:v",
        "1",
    ]
    subprocess.run([*command, path], check=True)
    assert len(document_of(path)["segments"]) == 1


# Speech


def test_a_sidecar_is_read_and_named(colors: Path, tmp_path: Path):
    video = Path(shutil.copy(colors, tmp_path / "día\n%d.mp4"))
    (tmp_path / "día\n%d.en.srt").write_text("Grüße: ".join(["", SRT]), encoding="utf-8-sig")
    (tmp_path / "día\n%d.srt").write_bytes(SRT.replace("Hello", "Grüße").encode("cp1252"))
    result = invoke("summarize", str(video), "--json", "--trace", str(tmp_path / "t.json"), *SHORT)
    made = json.loads(result.stdout)
    assert made["speech"] == {
        "source": "sidecar",
        "name": "día\n%d.srt",
        "language": None,
        "words": 2,
        "words_left_out": 0,
        "words_shortened": 0,
    }
    assert any("is not UTF-8: read as cp1252" in text for text in made["warnings"])
    trace = json.loads((tmp_path / "t.json").read_text())
    jsonschema.validate(trace, load_schema("summary-trace"))
    names = [step["name"] for step in trace["steps"]]
    assert names == ["segment 1", "segment 2", "segment 3", "chapters", "summary"]
    shown = ["".join(p.get("text", "") for p in step["parts"]) for step in trace["steps"]]
    assert ["Grüße there." in text for text in shown] == [True, False, False, True, True]
    assert "\\n" not in result.stderr.replace("día\\n%d", "")


def test_a_new_or_changed_sidecar_is_no_longer_done(colors: Path, tmp_path: Path):
    folder = tmp_path / "videos"
    fill(folder, colors, "a.mp4")

    def run(*args: str) -> str:
        return invoke("summarize", str(folder), *SHORT, *args).stderr

    assert "done 1, skipped 0" in run()
    assert "done 0, skipped 1" in run()
    (folder / "a.srt").write_text(SRT)
    assert "done 1, skipped 0" in run()
    (folder / "a.srt").write_text(SRT.replace("Hello", "Bye"))
    assert "done 1, skipped 0" in run()
    assert "done 0, skipped 1" in run()
    assert "done 1, skipped 0" in run("--subtitles", "none")


def test_subtitles_that_a_run_wrote_are_no_speech(colors: Path, tmp_path: Path):
    fill(tmp_path, colors, "a.mp4")
    assert invoke("caption", str(tmp_path), "--sidecar", "--format", "srt", *SHORT).exit_code == 0
    assert (tmp_path / "a.srt").exists()
    assert document_of(tmp_path / "a.mp4")["speech"] is None
    (tmp_path / "a.srt").write_text(SRT)
    assert document_of(tmp_path / "a.mp4")["speech"]["name"] == "a.srt"


def test_a_stream_a_named_file_and_none(colors: Path, tmp_path: Path):
    (tmp_path / "named.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nOne two three.\n")
    (tmp_path / "s.srt").write_text(SRT)
    video = tmp_path / "talk.mkv"
    inputs = ("-i", colors, "-i", tmp_path / "s.srt", "-map", "0", "-map", "1", "-c:v", "copy")
    subprocess.run([FFMPEG, "-loglevel", "error", *inputs, "-c:s", "srt", video], check=True)
    inside = document_of(video)["speech"]
    assert (inside["source"], inside["name"], inside["words"]) == ("stream", "#1 subrip", 2)
    named = document_of(video, "--subtitles", str(tmp_path / "named.vtt"))["speech"]
    assert (named["source"], named["name"], named["words"]) == ("file", "named.vtt", 3)
    assert document_of(video, "--subtitles", "none")["speech"] is None


def test_a_sidecar_without_words_is_told_of_and_the_next_taken(colors: Path, tmp_path: Path):
    shutil.copy(colors, tmp_path / "a.mp4")
    (tmp_path / "a.srt").write_text("\n")
    (tmp_path / "a.de.srt").write_text(SRT)
    made = document_of(tmp_path / "a.mp4")
    assert made["speech"]["name"] == "a.de.srt"
    assert any("a.srt holds no words: not used" in text for text in made["warnings"])


# Chapters


def test_the_author_s_chapters_are_kept_unless_told_otherwise(colors: Path, tmp_path: Path):
    marks = "\n".join(
        f"[CHAPTER]\nTIMEBASE=1/1\nSTART={a}\nEND={b}\ntitle={title}"
        for a, b, title in ((0, 7, "Theirs"), (7, 15, "Also"))
    )
    (tmp_path / "m.txt").write_text(f";FFMETADATA1\n{marks}\n")
    video = tmp_path / "marked.mkv"
    inputs = (
        "-i",
        colors,
        "-i",
        tmp_path / "m.txt",
        "-map",
        "0",
        "-map_chapters",
        "1",
        "-c",
        "copy",
    )
    subprocess.run([FFMPEG, "-loglevel", "error", *inputs, video], check=True)
    made = document_of(video)
    assert made["chapters_from"] == "file"
    assert [(c["start_s"], c["end_s"], c["title"]) for c in made["chapters"]] == [
        (0, 7, "Theirs"),
        (7, 15, "Also"),
    ]
    assert 7 in {segment["start_s"] for segment in made["segments"]}
    anew = document_of(video, "--ignore-chapters")
    assert anew["chapters_from"] == "model"
    assert len(anew["file_chapters"]) == 2


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_copy_with_marks_is_read_back_and_the_original_untouched(
    colors: Path, tmp_path: Path, suffix: str
):
    video = Path(shutil.copy(colors, tmp_path / "in.mp4"))
    before, target = video.read_bytes(), tmp_path / f"out{suffix}"
    made = document_of(video, "--write-chapters", target)
    found = [(float(c.span.start), float(c.span.end), c.title) for c in probe(str(target)).chapters]
    assert found == [(c["start_s"], c["end_s"], c["title"]) for c in made["chapters"]]
    assert video.read_bytes() == before
    with av.open(str(target)) as container:
        times = [f.time for f in container.decode(video=0)]
    assert (len(times), float(times[0] or 0)) == (75, 0)
    error = invoke("summarize", str(video), "--write-chapters", str(target))
    assert (error.exit_code, error.stdout) == (2, "")
    assert "--overwrite" in error.stderr
    assert document_of(video, "--write-chapters", target, "--overwrite")


@pytest.mark.parametrize("form", ["ffmetadata", "vtt", "md"])
def test_chapters_alone_go_to_stdout_or_files(colors: Path, tmp_path: Path, form: str):
    text = summarize(colors, "--chapters", form)
    starts = {"ffmetadata": ";FFMETADATA1\n", "vtt": "WEBVTT\n", "md": "## "}
    assert text.startswith(starts[form])
    fill(tmp_path / "in", colors, "a.mp4", "b.mp4")
    summarize(tmp_path / "in", "--chapters", form, "--out-dir", tmp_path / "out")
    suffix = {"ffmetadata": ".ffmetadata"}.get(form, f".chapters.{form}")
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == [f"a{suffix}", f"b{suffix}"]
    assert files[0].read_text().startswith(starts[form])


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv", "srt", "vtt", "md"])
def test_every_form_is_written(colors: Path, form: str):
    text = summarize(colors, "--format", form)
    if form in ("json", "jsonl"):
        jsonschema.validate(json.loads(text), load_schema("summary"))
    elif form == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["question"] for row in rows][:2] == ["summary", "chapter 1"]
    elif form in ("srt", "vtt"):
        assert text.count(" --> ") == 3
    else:
        assert "0:00" in text


# Folders


def test_a_folder_is_done_once_with_files_rows_and_code_8(
    colors: Path, broken: Path, tmp_path: Path
):
    folder = tmp_path / "in"
    fill(folder, colors, "a.mp4", "sub/b.mp4")
    shutil.copy(broken, folder / "c.mp4")
    result = invoke("summarize", str(folder), "-r", "--json", *SHORT)
    assert result.exit_code == 8
    documents = read_documents(result.stdout)
    assert [d["schema"]["name"] for d in documents] == ["summary", "error", "summary"]
    assert "done 2, skipped 0, failed 1" in result.stderr
    again = invoke("summarize", str(folder), "-r", *SHORT, "--out-dir", str(tmp_path / "out"))
    assert "done 0, skipped 2, failed 1" in again.stderr
    assert (tmp_path / "out" / "sub" / "b.txt").read_text().strip()
    (folder / "a.mp4").rename(folder / "z.mp4")
    assert "done 0, skipped 2" in invoke("summarize", str(folder), "-r", *SHORT).stderr


def test_lists_shards_and_text_of_many(colors: Path, tmp_path: Path):
    paths = fill(tmp_path, colors, "a.mp4", "b\n.mp4")
    listed = "\0".join(map(str, paths)) + "\0"
    result = invoke("summarize", "-", "--from0", *SHORT, stdin=listed)
    assert result.exit_code == 0
    assert f"{tmp_path}/a.mp4: " in result.stdout
    assert f"\n\n{tmp_path}/b\\n.mp4: " in result.stdout
    said = [
        invoke("summarize", str(tmp_path), *SHORT, "--shard", f"{n}/2", "--overwrite").stderr
        for n in (1, 2)
    ]
    counts = [next(x for x in text.splitlines() if x.startswith("done ")) for text in said]
    assert sum(int(line.split()[1].rstrip(",")) for line in counts) == 2


def test_a_dry_run_says_what_it_would_take_and_keeps_nothing(colors: Path):
    text = summarize(colors, "--dry-run")
    assert "segments      3, by shots\n" in text
    assert "put together  about 2 steps" in text
    plan = json.loads(summarize(colors, "--dry-run", "--json"))
    jsonschema.validate(plan, load_schema("summary-plan"))
    assert kept_pieces() == {}
    spent = document_of(colors)["usage"]
    assert plan["tokens"]["visual"] == 3 * spent["visual_tokens"]  # two of three show nothing new
    assert plan["tokens"]["prompts"] > plan["tokens"]["visual"]
    assert plan["seconds"]["total"] > 0
    assert "3 of them captioned already" in summarize(colors, "--dry-run")


@pytest.mark.parametrize(
    "args",
    [
        ["--chapters", "vtt", "--json"],
        ["--chapters", "vtt", "--format", "md"],
        ["{video}", "--chapters", "ffmetadata"],
        ["{video}", "--write-chapters", "out.mkv"],
        ["--write-chapters", "out.avi"],
        ["--write-chapters", "{video}"],
        ["--write-chapters", "/nowhere/out.mkv"],
        ["--subtitles", "/nowhere/x.srt"],
        ["{video}", "--subtitles", "{video}"],
        ["--segment", "0"],
        ["--max-gap", "1", "--select", "uniform"],
        ["--from", "99"],
        ["{video}", "--format", "srt"],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(colors: Path, args: list[str]):
    words = [word.format(video=colors) for word in args]
    result = invoke("summarize", str(colors), *words)
    assert (result.exit_code, result.stdout) == (2, ""), result.stderr
    assert "error: " in result.stderr.lower()


def test_a_context_that_is_too_small_says_so(colors: Path):
    result = invoke("summarize", str(colors), "--n-ctx", "256")
    assert result.exit_code == 5
    assert "--n-ctx" in result.stderr


# Length


def make_long(path: Path, hours: float, clip: Path) -> Path:
    """The pictures of a clip again and again, one a second; nothing is encoded again."""
    command = [FFMPEG, "-loglevel", "error", "-stream_loop", "-1", "-i", clip, "-c", "copy"]
    subprocess.run([*command, "-t", str(hours * 3600), path], check=True)
    return path


def test_ten_hours_take_the_memory_of_one_minute(
    clips: ClipCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Frames of one segment are held at a time; prompts of both fill the same small context."""

    def draw(number: int, size: tuple[int, int]) -> np.ndarray:
        return np.full((size[1], size[0], 3), COLORS[number // 600 % 3], np.uint8)

    clip = clips.get(".mkv", duration=1800, rate=1, size=(64, 36), gop=60, draw=draw)
    monkeypatch.setenv("VIDCLI_N_CTX", "1024")
    peaks, made = [], []
    for hours in (1 / 60, 10):
        video = make_long(tmp_path / f"{hours:.2f}.mkv", hours, clip)
        script = (
            "import resource, subprocess, sys\n"
            "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True)\n"
            "sys.stdout.buffer.write(done.stdout)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        )
        args = ("summarize", video, "--json", "--segment", "10m" if hours > 1 else "5", *SHORT)
        done = subprocess.run(
            [sys.executable, "-c", script, sys.executable, "-m", "vidcli", *map(str, args)],
            capture_output=True,
            text=True,
            check=True,
        )
        document, peak = done.stdout.splitlines()
        made.append(json.loads(document))
        peaks.append(int(peak))
    short, long = made
    assert long["coverage"]["end_s"] == 36_000
    assert [s["start_s"] % 600 for s in long["segments"]] == [0.0] * 60
    assert {c["start_s"] % 600 for c in long["chapters"]} == {0.0}
    assert long["steps"] > short["steps"]
    assert max(peaks) < 1.15 * min(peaks), peaks


def test_stdout_is_the_answer_only_and_head_ends_it_quietly(colors: Path):
    done = spawn("summarize", str(colors), *SHORT, "--chapters", "ffmetadata")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, ";FFMETADATA1")
    head = shell(
        '$VIDCLI summarize "$1" --max-tokens 8 | head -1; echo ${PIPESTATUS[0]}', str(colors)
    )
    assert len(head.stdout.splitlines()) == 2
    assert head.stdout.splitlines()[1] == "0"
    assert "Traceback" not in head.stderr
