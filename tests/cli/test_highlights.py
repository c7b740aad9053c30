"""`highlights` as people use it, on clips with a known event."""

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from tests.cli.run import invoke
from tests.clips import ClipCache
from tests.pairs import PairCache
from tests.world.films import film, show, stage
from vidcli.media.probe import probe
from vidcli.output.schema import load_schema

random = pytest.mark.usefixtures("model")


def draw_event(number: int, size: tuple[int, int]) -> np.ndarray:
    """Grey, and from 5 s to 8 s a bright half, at five frames a second."""
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    if 25 <= number < 40:
        image[:, size[0] // 2 :] = (250, 240, 30)
    return image


@pytest.fixture
def event(clips: ClipCache) -> Path:
    """Twelve seconds in which something is seen from 5 s to 8 s only."""
    return clips.get(duration=12, rate=5, size=(64, 36), draw=draw_event)


@pytest.fixture
def still(clips: ClipCache) -> Path:
    """Six seconds of one colour."""

    def draw(number: int, size: tuple[int, int]) -> np.ndarray:
        return np.full((size[1], size[0], 3), 90, np.uint8)

    return clips.get(duration=6, rate=5, size=(64, 36), draw=draw)


def document_of(*args: str | Path, code: int = 0) -> dict[str, Any]:
    result = invoke("highlights", *map(str, args), "--json")
    assert result.exit_code == code, result.stderr
    made: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(made, load_schema("highlights"))
    return made


@random
def test_what_is_unlike_the_rest_is_found_without_a_word(event: Path):
    made = document_of(event)
    assert [(h["start_s"], h["end_s"]) for h in made["highlights"]] == [(5, 8)]
    assert (made["measure"], made["query"]) == ("novelty", None)
    assert made["usage"]["prompt_tokens"] == made["usage"]["completion_tokens"] == 0
    assert [w["start_s"] for w in made["windows"]] == list(range(12))
    assert made["highlights"][0]["score"] == max(w["score"] for w in made["windows"])


@random
def test_nothing_stands_out_of_a_still_clip_and_the_exit_code_says_so(still: Path):
    made = document_of(still, code=1)
    assert made["highlights"] == []
    assert invoke("highlights", str(still)).stdout == ""


@random
def test_a_single_window_is_said_to_be_alone(event: Path):
    result = invoke("highlights", str(event), "--window", "60")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "one window only" in result.stderr


@random
def test_a_line_a_highlight_the_best_first(event: Path):
    result = invoke("highlights", str(event), "--query", "x", "--threshold", "0", "--count", "3")
    assert result.exit_code == 0
    scores = [float(line.split()[1]) for line in result.stdout.splitlines()]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) <= 3
    assert "12 windows, by query" in result.stderr


@random
def test_a_query_that_no_part_answers_is_exit_code_1(event: Path):
    made = document_of(event, "--query", "x", "--threshold", "1", code=1)
    assert (made["threshold"], made["highlights"]) == (1, [])
    assert len({window["score"] for window in made["windows"]}) > 1


@random
def test_each_window_is_asked_about_alone(event: Path, tmp_path: Path):
    path = tmp_path / "trace.json"
    made = document_of(event, "--query", "Is it yellow?", "--threshold", "0", "--trace", path)
    trace = json.loads(path.read_text())
    jsonschema.validate(trace, load_schema("summary-trace"))
    assert len(trace["steps"]) == len(made["windows"]) == 12
    for step, window in zip(trace["steps"], made["windows"], strict=True):
        assert float(step["reply"].split()[1]) == window["score"]
        text = "".join(part.get("text", "") for part in step["parts"])
        assert "Is it yellow?" in text


@random
def test_count_window_and_span_are_what_was_asked_for(event: Path):
    made = document_of(event, "--window", "2", "--from", "2", "--to", "12", "--frames", "1")
    assert [w["end_s"] - w["start_s"] for w in made["windows"]] == [2] * 5
    assert made["coverage"]["start_s"] == 2
    assert len(made["frames"]) == 5


@random
def test_no_group_of_merged_frames_lies_in_two_windows(
    event: Path, pairs: PairCache, monkeypatch: pytest.MonkeyPatch
):
    """Qwen's families merge two neighbouring frames: a window then has two at least."""
    monkeypatch.setenv("VIDCLI_MODEL", str(pairs.get("tiny-qwen2vl").weights))
    made = document_of(event, "--frames", "1")
    assert len(made["frames"]) == 24
    assert [(h["start_s"], h["end_s"]) for h in made["highlights"]] == [(5, 8)]


@random
def test_highlights_are_cut_out_as_files(event: Path, tmp_path: Path):
    folder = tmp_path / "new" / "cuts"
    made = document_of(event, "--clip", folder)
    path = Path(made["highlights"][0]["clip"])
    assert [path] == list(folder.iterdir())
    assert path.name == f"{event.stem}-0m05.0s-0m08.0s.mp4"
    assert float(probe(str(path)).duration or 0) == pytest.approx(3, abs=0.05)
    before = path.stat().st_mtime_ns
    again = invoke("highlights", str(event), "--clip", str(folder))
    assert (again.exit_code, path.stat().st_mtime_ns) == (0, before)
    assert again.stdout.rstrip().endswith(str(path))


@random
def test_videos_of_one_name_get_files_of_their_own(event: Path, clips: ClipCache, tmp_path: Path):
    other = clips.get(duration=12, rate=5, size=(96, 54), draw=draw_event)
    for name, source in (("a", event), ("b", other)):
        (tmp_path / name).mkdir()
        shutil.copy(source, tmp_path / name / "x.mp4")
    folder = tmp_path / "cuts"
    result = invoke("highlights", str(tmp_path), "-r", "--clip", str(folder))
    assert result.exit_code == 0, result.stderr
    assert len(list(folder.iterdir())) == 2


@random
def test_another_count_of_the_same_run_needs_no_model(event: Path, still: Path):
    args = ("--query", "x", "--threshold", "0")
    assert invoke("highlights", str(event), str(still), *args, "--count", "1").exit_code == 0
    again = invoke("highlights", str(event), str(still), *args, "--count", "4")
    assert "skipped 2" in again.stderr
    assert len(again.stdout.splitlines()) > 2


@random
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--query", " "), "the query is empty"),
        (("--threshold", "0.5"), "--threshold goes with --query only"),
        (("--count", "0"), "--count"),
        (("--window", "0"), "--window"),
        (("--clip", "{clip}"), "cannot make"),
    ],
)
def test_options_that_make_no_sense_are_usage_errors(
    event: Path, options: tuple[str, ...], said: str
):
    result = invoke("highlights", str(event), *(option.format(clip=event) for option in options))
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@random
@pytest.mark.parametrize("form", ["csv", "md"])
def test_highlights_come_as_rows_and_lists(event: Path, form: str):
    text = invoke("highlights", str(event), "--format", form).stdout
    assert text.count("novelty" if form == "csv" else "- 0:05.0–0:08.0") == 1


@random
def test_a_single_highlight_is_one_cue_at_its_time(event: Path, still: Path):
    text = invoke("highlights", str(event), "--format", "srt").stdout
    assert text.splitlines()[:2] == ["1", "00:00:05,000 --> 00:00:08,000"]
    assert invoke("highlights", str(still), "--format", "vtt").stdout == "WEBVTT\n\n"


@random
def test_a_dry_run_finds_nothing_and_is_no_no(still: Path):
    result = invoke("highlights", str(still), "--dry-run", "--json")
    assert result.exit_code == 0
    plan = json.loads(result.stdout)
    jsonschema.validate(plan, load_schema("plan"))
    assert len(plan["frames"]) == 24
    assert "6 windows" in result.stderr


@pytest.mark.usefixtures("nano")
def test_the_event_is_found_by_what_it_is(tmp_path: Path):
    fish, car = show("blue", "fish", 0.0, 4.0), show("red", "car", 5.0, 8.0, group=1)
    clip = film(stage(12.0, fish, car), tmp_path / "two.mp4")
    for query, start, end in (("Is there a car?", 5, 8), ("Is there a fish?", 0, 4)):
        made = document_of(clip, "--query", query)
        assert [(h["start_s"], h["end_s"]) for h in made["highlights"]] == [(start, end)]
    assert document_of(clip, "--query", "Is there a guitar?", code=1)["highlights"] == []
