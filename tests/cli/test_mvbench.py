"""`eval mvbench`: closed questions about parts of videos, put to a real model."""

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.folder import fill
from tests.cli.run import invoke
from tests.evaluate.test_mvbench import ROW, write_task
from vidcli.output.schema import load_schema

pytestmark = pytest.mark.usefixtures("model")


@pytest.fixture
def bench(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two tasks about two videos, one of them about a part."""
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "video", clip, "a.mp4", "b.mp4")
    write_task(tmp_path / "json", "order", ROW, {**ROW, "start": 0.5, "end": 1.5})
    write_task(tmp_path / "json", "count", {**ROW, "video": "b.mp4"})
    return tmp_path


def words(*more: str) -> list[str]:
    return ["eval", "mvbench", "--data", "json", "--videos", "video", *more]


def run(*more: str) -> dict[str, Any]:
    result = invoke(*words(*more), "--json", "--quiet")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("eval"))
    return document


def kept(bench: Path) -> dict[str, str]:
    lines = (bench / "mvbench-predictions.jsonl").read_text().splitlines()
    return {row["id"]: row["reply"] for row in map(json.loads, lines)}


def test_the_likeliest_letter_is_the_reply_as_ask_gives_it(bench: Path):
    """VideoChat2: MVBench goes the way of `ask --choices`, 16 frames of the part asked about."""
    document = run()
    (made,) = document["runs"]
    assert [kind["kind"] for kind in made["kinds"]] == ["count", "order"]
    assert [kind["n"] for kind in made["kinds"]] == [1, 2]
    assert all(kind["chance"] == pytest.approx(1 / 3, abs=1e-4) for kind in made["kinds"])
    assert all(kind["no_answer"] == 0 for kind in made["kinds"])
    assert document["settings"]["frames"] == made["mean_frames"] == 16
    assert document["settings"]["prompt_style"] == "mvbench"
    replies = kept(bench)
    assert set(replies.values()) <= set(ROW["candidates"])
    part = ("--from", "0.5", "--to", "1.5")
    for name, span in (("order 1", ()), ("order 2", part)):
        asked = invoke(
            "ask", str(bench / "video" / "a.mp4"), str(ROW["question"]), "--choices",
            ",".join(ROW["candidates"]), "--prompt-style", "mvbench", "--frames", "16", "--json",
            *span,
        )  # fmt: skip
        assert json.loads(asked.stdout)["answer"] == replies[name]


def test_the_reply_decides_what_is_right(bench: Path):
    """The replies kept are made right by hand; the next run takes them as they are."""
    run()
    path = bench / "mvbench-predictions.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["reply"] = ROW["answer"] if line["id"] != "order 2" else "Not sure"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (made,) = run()["runs"]
    assert {kind["kind"]: kind["accuracy"] for kind in made["kinds"]} == {"count": 1, "order": 0.5}
    assert made["mean_accuracy"] == 0.75, "the mean of tasks, not of questions"


def test_the_part_is_what_is_shown(bench: Path):
    """A changed part is another question; the same one is not asked twice."""
    first = invoke(*words())
    assert "3 questions, 3 of them asked now" in first.stderr
    assert "3 questions, 0 of them asked now" in invoke(*words()).stderr
    write_task(bench / "json", "order", ROW, {**ROW, "start": 0.5, "end": 1.0})
    assert "3 questions, 1 of them asked now" in invoke(*words()).stderr


def test_controls_see_nothing_and_see_it_backwards(bench: Path):
    document = run("--controls")
    assert [made["shown"] for made in document["runs"]] == ["frames", "no frames", "reversed"]
    assert [made["mean_frames"] for made in document["runs"]] == [16, 0, 16]
    assert document["runs"][1]["kinds"][0]["no_answer"] == 0, "blind replies are options too"


def test_videos_and_parts_that_are_not_there_cost_their_own_questions(bench: Path):
    (bench / "video" / "b.mp4").unlink()
    shutil.copy(bench / "video" / "a.mp4", bench / "video" / "c.mp4")
    write_task(bench / "json", "late", {**ROW, "video": "c.mp4", "start": 50, "end": 60})
    result = invoke(*words())
    assert result.exit_code == 8
    assert "b.mp4 does not exist" in result.stderr
    assert "late 1: video/c.mp4 is over before" in result.stderr
    assert "2 questions, 2 of them asked now" in result.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--judge", "x"), "--judge is of vcgbench, and mvbench is mvbench"),
        (("--kind", "smell"), "no question of the kind 'smell'"),
    ],
)
def test_what_makes_no_sense_is_told(bench: Path, more: tuple[str, ...], said: str):
    result = invoke(*words(*more))
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_files_and_options_are_needed(bench: Path):
    result = invoke("eval", "mvbench")
    assert (result.exit_code, "no file of MVBench is named" in result.stderr) == (2, True)
    asked = invoke("ask", "video/a.mp4", "What?", "--prompt-style", "mvbench")
    assert (asked.exit_code, "name them with --choices" in asked.stderr) == (2, True)
