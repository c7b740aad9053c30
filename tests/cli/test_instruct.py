"""`data instruct` with a real model: rows to tune on, from what is known of videos in words."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import ffmpeg
import jsonschema
import pytest

from tests.cli.folder import fill, query, read_documents
from tests.cli.run import VIDCLI, invoke
from tests.clips import run_ffmpeg
from vidcli.output.schema import load_schema
from vidcli.train.data.files import read_data

pytestmark = pytest.mark.usefixtures("model")
NAMES = ("a.mp4", "b.mp4", "c.mp4")
# What a random model writes seldom ends and means nothing.
SMALL = ("--max-chars", "16", "--per-task", "1", "--max-tokens", "16", "--n-ctx", "2048")
FEW = (*SMALL, "--tasks", "summary,yes-no", "--min-agreement", "0")


@pytest.fixture
def videos(clip: Path, tmp_path: Path) -> Path:
    fill(tmp_path / "videos", clip, *NAMES)
    return tmp_path / "videos"


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "captions.jsonl"
    rows = [{"video": name, "caption": f"Numbers count up in {name[0]}."} for name in NAMES]
    rows.append({"video": "a", "start": 0, "end": 1, "texts": ["A bar blinks."]})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def instruct(*args: str | Path, code: int = 0) -> str:
    result = invoke("data", "instruct", *map(str, args))
    assert result.exit_code == code, result.stderr
    return result.stdout


def rows_of(path: Path) -> list[dict[str, Any]]:
    rows = json.loads(path.read_text())
    assert len({row["id"] for row in rows}) == len(rows)
    return list(rows)


def test_rows_are_what_training_reads_in_every_form(videos: Path, captions: Path, tmp_path: Path):
    read = {}
    for form in ("llava", "videoinstruct", "messages"):
        out = tmp_path / f"{form}.json"
        text = instruct(
            videos, "--captions", captions, "--out", out, "--format", form, "--json", *FEW
        )
        summary = json.loads(text)
        jsonschema.validate(summary, load_schema("instruct"))
        assert summary["rows"] == len(rows_of(out)) == sum(summary["kept"].values()) >= 4
        assert summary["sources"] == {"caption": 4, "speech": 0, "screen": 0}
        assert summary["videos"]["known"] == (0 if form == "llava" else 3)
        read[form] = read_data(out)
    first = [(row.exchanges[0].question, row.exchanges[0].answer) for row in read["llava"]]
    assert all(question and answer for question, answer in first)
    for rows in read.values():
        assert [(row.exchanges[0].question, row.exchanges[0].answer) for row in rows] == first
    assert {row.video for row in read["llava"]} == {f"videos/{name}" for name in NAMES}
    assert {row.video for row in read["videoinstruct"]} == {name[0] for name in NAMES}


def test_rows_say_where_they_come_from(videos: Path, captions: Path, tmp_path: Path):
    out = tmp_path / "rows.json"
    instruct(videos / "a.mp4", "--captions", captions, "--out", out, *FEW)
    for row in rows_of(out):
        assert row["kind"] in {"description", "summary", "yes-no"}
        assert row["provenance"]["sources"] == {"caption": 2}
        assert row["provenance"]["model"] == "tiny-idefics3-f32"
        assert 0 <= row["provenance"]["agreement"] <= 1
        if row["kind"] == "yes-no":
            assert row["conversations"][1]["value"] in ("Yes", "No")


def test_a_language_model_without_a_projector_is_enough(
    videos: Path, captions: Path, tmp_path: Path, model: Path
):
    alone = tmp_path / "alone" / "language.gguf"
    alone.parent.mkdir()
    alone.symlink_to(model)
    for number, named in enumerate((model, alone)):
        out = tmp_path / f"{number}.json"
        instruct(videos, "--captions", captions, "--out", out, "--model", named, *FEW)
    one, other = (rows_of(tmp_path / f"{n}.json") for n in (0, 1))
    assert [row["conversations"] for row in one] == [row["conversations"] for row in other]
    result = invoke("ask", str(videos / "a.mp4"), "What?", "--model", str(alone))
    assert result.exit_code == 4, "what must see still needs a projector"


def test_subtitles_beside_and_inside_a_video_are_speech(clip: Path, tmp_path: Path):
    words = "1\n00:00:00,200 --> 00:00:01,000\n<i>Count</i> with me.\n"
    (tmp_path / "x.srt").write_text(words)
    subtitles, picture = ffmpeg.input(str(tmp_path / "x.srt")), ffmpeg.input(str(clip))
    inside = tmp_path / "inside.mkv"
    run_ffmpeg(ffmpeg.output(picture["v"], subtitles["s"], str(inside), c="copy"))
    beside = tmp_path / "beside.mp4"
    beside.write_bytes(clip.read_bytes())
    (tmp_path / "beside.en.srt").write_text(words)
    for video in (inside, beside):
        plan = json.loads(instruct(video, "--dry-run", "--json"))
        jsonschema.validate(plan, load_schema("instruct-plan"))
        (known,) = plan["videos"]
        assert known["sources"] == {"caption": 0, "speech": 1, "screen": 0}
        assert known["questions"] == 19
        none = json.loads(instruct(video, "--dry-run", "--json", "--speech", "none"))
        assert none["videos"][0]["questions"] == 0
    named = ("--speech", tmp_path / "x.srt", "--screen-text", tmp_path / "screen.csv")
    (tmp_path / "screen.csv").write_text("video,text\nclip,EXIT\n")
    (tmp_path / "clip.mp4").write_bytes(clip.read_bytes())
    plan = json.loads(instruct(tmp_path / "clip.mp4", "--dry-run", "--json", *named))
    assert plan["videos"][0]["sources"] == {"caption": 0, "speech": 1, "screen": 1}
    instruct(tmp_path / "clip.mp4", "--speech", tmp_path / "none.srt", *FEW, code=3)


def test_captions_that_a_run_wrote_beside_a_video_are_no_speech(clip: Path, tmp_path: Path):
    video = tmp_path / "talk.mp4"
    video.write_bytes(clip.read_bytes())
    written = invoke("caption", str(video), "--max-tokens", "4", "--sidecar", "--format", "srt")
    assert written.exit_code == 0
    assert (tmp_path / "talk.srt").exists()
    for edited, lines in ((False, 0), (True, 1)):
        if edited:
            (tmp_path / "talk.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nMine.\n")
        plan = json.loads(instruct(video, "--dry-run", "--json"))
        assert plan["videos"][0]["sources"]["speech"] == lines


def test_a_video_of_which_nothing_is_known_fails_alone(
    videos: Path, captions: Path, tmp_path: Path
):
    captions.write_text('{"video": "b.mp4", "caption": "Numbers."}\n')
    out = tmp_path / "rows.json"
    result = invoke(
        "data", "instruct", *map(str, (videos, "--captions", captions, "--out", out, *FEW))
    )
    assert result.exit_code == 8
    assert "nothing is known of" in result.stderr
    assert "--watch" in result.stderr
    assert {row["video"] for row in rows_of(out)} == {"videos/b.mp4"}
    instruct(videos / "a.mp4", *FEW, code=3)


def test_the_model_captions_first_where_that_is_asked_for(videos: Path, tmp_path: Path):
    args = (videos / "a.mp4", "--watch", "--window", "1", "--out", tmp_path / "o.json", *FEW)
    plan = json.loads(instruct(*args, "--dry-run", "--json"))
    assert plan["videos"][0]["clips_to_caption"] == 2
    result = invoke("data", "instruct", *map(str, args), "--json")
    summary = json.loads(result.stdout)
    assert summary["captioned_clips"] == 2
    captioned = summary["sources"]["caption"]
    lost = 2 - captioned
    assert f"{lost} of 2 clips have no caption" in result.stderr or not lost
    assert result.exit_code == (0 if captioned else 3)
    again = json.loads(invoke("data", "instruct", *map(str, args), "--json").stdout)
    assert again["captioned_clips"] == 0


def test_rows_of_other_sources_are_not_mixed_in(videos: Path, captions: Path, tmp_path: Path):
    out = tmp_path / "rows.json"
    instruct(videos, "--captions", captions, "--out", out, *FEW)
    before = out.read_bytes()
    with captions.open("a") as file:
        file.write('{"video": "c.mp4", "caption": "And then they stop."}\n')
    result = invoke(
        "data", "instruct", *map(str, (videos, "--captions", captions, "--out", out, *FEW))
    )
    assert result.exit_code == 8
    assert "made from something else" in result.stderr
    assert out.read_bytes() == before
    instruct(videos, "--captions", captions, "--out", out, *FEW, "--overwrite")


def start(*args: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*VIDCLI, "data", "instruct", *map(str, args)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_at_any_moment_it_goes_on_where_it_was(
    videos: Path, captions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    args = (videos, "--captions", captions, *FEW)
    instruct(*args, "--out", tmp_path / "wanted.jsonl")
    monkeypatch.setenv("VIDCLI_STATE_DIR", str(tmp_path / "state"))
    finished = "SELECT fingerprint, finished FROM results"
    out, known = tmp_path / "rows.jsonl", set()
    for wanted in (1, 2):
        with start(*args, "--out", out) as child:
            deadline = time.monotonic() + 60
            while child.poll() is None and len(query(finished)) < wanted:
                assert time.monotonic() < deadline
                time.sleep(0.002)
            child.send_signal(signal.SIGKILL)
            child.communicate()
        assert known <= set(query(finished)), "something was done twice"
        known = set(query(finished))
    instruct(*args, "--out", out)
    assert known <= set(query(finished))
    assert read_documents(out.read_text()) == read_documents(
        (tmp_path / "wanted.jsonl").read_text()
    )


def test_order_and_shards_do_not_change_what_is_written(
    videos: Path, captions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    drawn = (*FEW, "--temperature", "1", "--captions", captions)
    instruct(videos, "--out", tmp_path / "all.json", *drawn)
    parts = []
    for part in ("2/2", "1/2"):
        monkeypatch.setenv("VIDCLI_STATE_DIR", str(tmp_path / part))
        backwards = [videos / name for name in reversed(NAMES)]
        out = tmp_path / f"{part[0]}.json"
        instruct(*backwards, "--out", out, "--shard", part, *drawn)
        parts += rows_of(out)
    assert sorted(parts, key=lambda row: row["id"]) == sorted(
        rows_of(tmp_path / "all.json"), key=lambda row: row["id"]
    )


def test_what_is_left_out_can_be_looked_at(videos: Path, captions: Path, tmp_path: Path):
    out, rejects = tmp_path / "rows.json", tmp_path / "rejects.json"
    strict = (*FEW, "--min-agreement", "1", "--rejects", rejects)
    text = instruct(videos, "--captions", captions, "--out", out, "--json", *strict)
    summary = json.loads(text)
    assert rows_of(out) == []
    assert len(rows_of(rejects)) == sum(summary["dropped"].values()) == 9
    assert "inconsistent" in {row["reason"] for row in rows_of(rejects)}


@pytest.mark.parametrize(
    "wrong",
    [
        ("--tasks", "poetry"),
        ("--tasks", ","),
        ("--captions", "nowhere.json"),
        ("--window", "5"),
        ("--json",),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(wrong: tuple[str, ...], videos: Path):
    instruct(videos, *FEW, *wrong, code=2)
