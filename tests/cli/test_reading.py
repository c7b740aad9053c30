"""`ask --method captions` and `tree` as people use them: a real small model, real videos."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from tests.cli.run import invoke
from tests.cli.test_summarize import kept_pieces
from tests.clips import ClipCache
from tests.output.results import make_answer
from tests.pairs import PairCache
from tests.world.films import film, show, stage
from vidcli.cli.build import identify
from vidcli.library.segments import NAME
from vidcli.output.schema import load_schema
from vidcli.settings import state_dir

random = pytest.mark.usefixtures("model")
SHORT = ("--max-tokens", "4")
TREE = ("--method", "tree")
CAPTIONS = ("--method", "captions")


def draw_colors(number: int, size: tuple[int, int]) -> np.ndarray:
    """Another colour every two seconds, at five frames a second."""
    return np.full(
        (size[1], size[0], 3), (number // 10 * 40, 90, 250 - number // 10 * 40), np.uint8
    )


@pytest.fixture
def colors(clips: ClipCache) -> Path:
    """Twelve seconds in six colours."""
    return clips.get(duration=12, rate=5, size=(64, 36), draw=draw_colors)


@pytest.fixture
def still(clips: ClipCache) -> Path:
    """Twelve seconds of one colour."""

    def draw(number: int, size: tuple[int, int]) -> np.ndarray:
        return np.full((size[1], size[0], 3), 90, np.uint8)

    return clips.get(duration=12, rate=5, size=(64, 36), draw=draw)


def ask(*args: str | Path) -> dict[str, Any]:
    result = invoke("ask", *map(str, args), *SHORT, "--json")
    assert result.exit_code == 0, result.stderr
    made: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(made, load_schema("answer"))
    return made


@random
def test_captions_run_end_to_end_and_are_kept(colors: Path):
    """LLoVi: T1 runs end to end."""
    made = ask(colors, "What happens?", *CAPTIONS)
    route = made["route"]
    assert made["method"] == "captions"
    assert route["captions_made"] == len(made["frames"]) == 12
    assert [call["name"] for call in route["calls"]] == ["answer"]
    pieces = kept_pieces()
    other = ask(colors, "What colour?", *CAPTIONS)
    assert other["route"]["captions_from_cache"] == 12
    assert kept_pieces() == pieces
    assert other["timings_s"]["encode"] == 0


@random
@pytest.mark.parametrize(
    ("prompt", "calls"),
    [("qa", ["answer"]), ("sumq", ["summary", "answer"]), ("cot", ["reasoning", "answer"])],
)
def test_the_prompt_decides_the_calls(colors: Path, prompt: str, calls: list[str]):
    """LLoVi: --prompt {qa,sumq,cot}."""
    made = ask(colors, "What happens?", *CAPTIONS, "--prompt", prompt, "--frames", "3")
    assert [call["name"] for call in made["route"]["calls"]] == calls
    assert made["route"]["captions_made"] == 3
    assert dict(made["approach"]["options"])["prompt"] == prompt


@random
def test_the_trace_shows_that_who_answers_sees_nothing(colors: Path, tmp_path: Path):
    """Survey roles: the summariser sees no pixels; the raw captions do not reach the QA call."""
    path = tmp_path / "trace.json"
    made = ask(colors, "What?", *CAPTIONS, "--prompt", "sumq", "--frames", "3", "--trace", path)
    trace = json.loads(path.read_text())
    jsonschema.validate(trace, load_schema("method-trace"))
    steps = {step["name"]: step for step in trace["steps"]}
    assert list(steps) == ["segment 1", "segment 2", "segment 3", "summary", "answer"]
    for name, step in steps.items():
        visual = sum(part.get("visual_tokens", 0) for part in step["parts"])
        assert (visual > 0) == name.startswith("segment")
    shown = "".join(part.get("text", "") for part in steps["answer"]["parts"])
    assert json.dumps(made["route"]["calls"][0]["reply"], ensure_ascii=False) in shown
    assert '"seen"' not in shown


@random
def test_a_tree_captions_no_more_than_differs(colors: Path, still: Path):
    """VideoTree: a constant clip stops early, and the number of captions made is reported."""
    made = ask(colors, "What happens?", *TREE)
    assert made["method"] == "tree"
    assert made["route"]["frames_encoded"] == 12
    assert made["route"]["captions_made"] == len(made["frames"]) <= 12
    assert [look["clusters"] for look in made["route"]["rounds"]] == [6]
    constant = ask(still, "What happens?", *TREE)
    assert constant["route"]["captions_made"] == 1
    assert [look["clusters"] for look in constant["route"]["rounds"]] == [1]


@random
def test_relevance_always_parses(colors: Path):
    """VideoTree: under the grammar even a model without sense says 1, 2 or 3 of every cluster."""
    made = ask(colors, "What happens?", *TREE)
    relevance = next(call for call in made["route"]["calls"] if "relevance" in call["name"])
    assert json.loads(relevance["reply"]) == made["route"]["rounds"][0]["relevance"]


@random
def test_the_budget_of_a_tree_bounds_its_captions(colors: Path):
    """VideoTree: frame budget respected."""
    made = ask(colors, "What happens?", "--method", "tree:budget=3")
    assert made["route"]["captions_made"] <= 3
    times = [frame["time_s"] for frame in made["frames"]]
    assert times == sorted(times)


@random
@pytest.mark.parametrize("method", [CAPTIONS, TREE])
def test_a_closed_question_is_scored_by_who_reads(colors: Path, method: tuple[str, str]):
    made = ask(colors, "Red?", *method, "--choices", "yes,no", "--frames", "3")
    assert made["answer"] in ("yes", "no")
    assert sum(choice["probability"] for choice in made["choices"]) == pytest.approx(1)


@random
def test_captions_and_checks_are_read_from_text_too(colors: Path):
    caption = invoke("caption", str(colors), *CAPTIONS, *SHORT, "--frames", "3", "--json")
    made = json.loads(caption.stdout)
    jsonschema.validate(made, load_schema("caption"))
    assert made["route"]["captions_made"] == 3
    checked = invoke("check", str(colors), "it is red", *TREE, "--threshold", "0", "--json")
    assert checked.exit_code == 0, checked.stderr
    jsonschema.validate(json.loads(checked.stdout), load_schema("check"))


@random
def test_merged_frames_are_captioned_together(
    colors: Path, pairs: PairCache, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VIDCLI_MODEL", str(pairs.get("tiny-qwen2vl").weights))
    for method in (CAPTIONS, TREE):
        made = ask(colors, "What?", *method, "--frames", "6")
        assert made["route"]["captions_made"] == 3
        assert len(made["frames"]) == 6


@random
def test_many_videos_are_read_and_skipped_when_done(colors: Path, still: Path):
    args = (str(colors), str(still), "-q", "What?", *CAPTIONS, "--frames", "3", *SHORT)
    assert invoke("ask", *args).exit_code == 0
    assert "skipped 2" in invoke("ask", *args).stderr
    assert "skipped 0" in invoke("ask", *args, "--prompt", "cot").stderr


@random
def test_no_cache_keeps_nothing(colors: Path):
    made = ask(colors, "What?", *TREE, "--no-cache")
    assert made["usage"]["cache"]["visual_tokens"] == "off"
    assert not (state_dir() / NAME).exists()


def test_an_adapter_is_part_of_what_replies_depend_on():
    report = make_answer().model
    plain = replace(report, adapter_sha256="", lora_scale=0.0)
    names = {
        identify(plain),
        identify(replace(plain, adapter_sha256="c" * 64, lora_scale=1.0)),
        identify(replace(plain, adapter_sha256="c" * 64, lora_scale=0.5)),
        identify(replace(plain, weights_sha256="d" * 64)),
    }
    assert len(names) == 4


@random
def test_a_planner_answers_and_sees_nothing(colors: Path, pairs: PairCache):
    planner = pairs.get("tiny-llava").weights
    made = ask(colors, "What?", *CAPTIONS, "--frames", "3", "--planner", planner)
    assert made["route"]["planner"]["sha256"]["weights"] != made["model"]["sha256"]["weights"]
    assert made["route"]["planner"]["sha256"]["mmproj"] is None
    alone = ask(colors, "What?", *CAPTIONS, "--frames", "3")
    assert alone["route"]["planner"] is None
    assert alone["route"]["captions"] == made["route"]["captions"]


@random
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((*CAPTIONS, "--cite"), "--cite"),
        ((*CAPTIONS, "--prompt", "x"), "--prompt"),
        (("--prompt", "sumq"), "--prompt"),
        (("--planner", "x.gguf"), "--planner"),
        (("--method", "tree:budget=0"), "budget=0"),
    ],
)
def test_options_that_do_nothing_are_usage_errors(
    colors: Path, options: tuple[str, ...], said: str
):
    result = invoke("ask", str(colors), "What?", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@random
@pytest.mark.parametrize("method", [CAPTIONS, TREE])
def test_a_dry_run_says_what_it_would_take(colors: Path, method: tuple[str, str]):
    result = invoke("ask", str(colors), "What?", *method, "--dry-run", "--json")
    assert result.exit_code == 0, result.stderr
    plan = json.loads(result.stdout)
    jsonschema.validate(plan, load_schema("plan"))
    assert len(plan["frames"]) == 12


@pytest.mark.usefixtures("nano")
def test_captions_tell_when_the_car_is_there(tmp_path: Path):
    """LLoVi: the lines an answer is read from say what is seen, and when."""
    fish, car = show("blue", "fish", 0.0, 4.0), show("red", "car", 5.0, 8.0, group=1)
    clip = film(stage(12.0, fish, car), tmp_path / "two.mp4")
    for method, frames in ((CAPTIONS, "12"), (TREE, "12")):
        made = ask(clip, "What is shown?", *method, "--frames", frames)
        for caption in made["route"]["captions"]:
            middle = (caption["start_s"] + caption["end_s"]) / 2
            assert ("red car" in caption["text"]) == (5 < middle < 8)
            assert ("blue fish" in caption["text"]) == (middle < 4)
