"""Methods that arrange visual tokens, through the real command and the real engine."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.run import invoke
from tests.cli.test_methods import SHORT, ask_json, plan_json
from tests.clips import ClipCache
from tests.pairs import FAMILIES, PairCache
from vidcli.methods.registry import METHODS
from vidcli.output.schema import load_schema

pytestmark = pytest.mark.usefixtures("model")
QUESTION = "What happens?"
ARRANGING = [method.name for method in METHODS.values() if method.arranges]
SHOWING = [method.name for method in METHODS.values() if method.shows]
STAYS = {"tiny-idefics3", "tiny-llava", "tiny-internvl"}  # one sequence of visual tokens
TOKENS = {  # of a clip of 50 frames with 4×4 tokens each
    "uniform": 8 * 16,
    "slowfast": 10 * 8 + 50 * 4,
    "grid": 16,
    "memory": 2 * 16,
    "spatiotemporal": 50 + 16,
}
ENCODED = {"uniform": 8, "slowfast": 49, "grid": 1, "memory": 8, "spatiotemporal": 50}


@pytest.fixture
def long_clip(clips: ClipCache) -> Path:
    """32 seconds, one frame a second."""
    return clips.get(duration=32, rate=1, size=(64, 36))


@pytest.mark.parametrize("name", TOKENS)
def test_planned_injected_and_reported_tokens_are_one_number(name: str, clip: Path):
    """A5.3: injected tokens = those of --dry-run = those in the record; repeatable."""
    plan = plan_json(str(clip), QUESTION, "--method", name)
    first = ask_json(str(clip), QUESTION, "--method", name)
    assert plan["tokens"]["visual"] == first["usage"]["visual_tokens"] == TOKENS[name]
    used = first["usage"]["visual_tokens"] + first["usage"]["prompt_tokens"]
    assert plan["tokens"]["prompt"] == used
    assert plan["approach"]["method"] == first["approach"]["method"] == name
    assert sum(frame["visual_tokens"] for frame in first["frames"]) == TOKENS[name]
    again = ask_json(str(clip), QUESTION, "--method", name, "--no-cache")
    assert again["answer"] == first["answer"]


@pytest.mark.parametrize("name", TOKENS)
def test_the_context_grows_by_exactly_the_tokens(name: str, clip: Path, tmp_path: Path):
    """A5.3: n_past grows by the number of visual tokens and of the text between them."""
    trace = tmp_path / "trace.json"
    document = ask_json(str(clip), QUESTION, "--method", name, "--trace", str(trace))
    traced = json.loads(trace.read_text())
    jsonschema.validate(traced, load_schema("trace"))
    parts = traced["parts"]
    shown = [part for part in parts if part["kind"] == "frames"]
    assert sum(part["visual_tokens"] for part in shown) == TOKENS[name]
    assert len(shown) == (8 if name == "uniform" else 1)
    for part, following in pairwise(parts):
        grown = following["cell"] - part["cell"]
        assert grown == part.get("visual_tokens", 0) + len(part["token_ids"])
    assert document["approach"]["encoded"] == ENCODED[name]


@pytest.mark.parametrize("name", TOKENS)
def test_features_are_pooled_and_never_pixels(name: str, clip: Path):
    """A5.1: the encoder is run once for each distinct frame (grid: once), at its full size."""
    document = ask_json(str(clip), QUESTION, "--method", name)
    assert document["approach"]["encoded"] == ENCODED[name]
    if name != "grid":
        assert document["approach"]["encoded"] == len(document["frames"])
        size = plan_json(str(clip), QUESTION, "--method", name)["frame_size"]
        assert size == plan_json(str(clip), QUESTION)["frame_size"]


@pytest.mark.parametrize("name", ARRANGING)
def test_caches_give_the_same_answer_and_keep_methods_apart(name: str, clip: Path):
    first = ask_json(str(clip), QUESTION, "--method", name)
    again = ask_json(str(clip), QUESTION, "--method", name)
    assert again["usage"]["cache"] == {"visual_tokens": "hit", "prefix": "hit"}
    assert (again["approach"]["encoded"], again["answer"]) == (0, first["answer"])
    other = ask_json(str(clip), QUESTION, "--method", "uniform")
    assert other["usage"]["cache"]["prefix"] == "miss"  # other tokens are another prefix


def test_methods_share_the_encoded_frames_where_they_look_at_the_same_ones(clip: Path):
    ask_json(str(clip), QUESTION, "--method", "spatiotemporal:frames=8")
    document = ask_json(str(clip), QUESTION, "--method", "uniform")
    assert document["usage"]["cache"]["visual_tokens"] == "hit"


@pytest.mark.parametrize("shape", sorted(STAYS))
@pytest.mark.parametrize("name", SHOWING)
def test_every_method_answers_with_every_family_it_says(
    name: str, shape: str, clip: Path, pairs: PairCache
):
    """A5.6: families with one sequence of tokens are shown every arrangement."""
    model = ("--model", str(pairs.get(shape).weights))
    document = ask_json(str(clip), QUESTION, "--method", name, *model)
    assert document["approach"]["method"] == name
    plan = plan_json(str(clip), QUESTION, "--method", name, *model)
    assert plan["tokens"]["visual"] == document["usage"]["visual_tokens"]


@pytest.mark.parametrize("shape", sorted(set(FAMILIES) - STAYS))
@pytest.mark.parametrize("name", ARRANGING)
def test_other_families_are_refused_with_what_works(
    name: str, shape: str, clip: Path, pairs: PairCache
):
    """A5.6: M-RoPE and two-way attention are refused with the reason; what is named works."""
    model = ("--model", str(pairs.get(shape).weights))
    result = invoke("ask", str(clip), QUESTION, "--method", name, *model)
    assert (result.exit_code, result.stdout) == (4, "")
    assert f"--method {name} does not work here" in result.stderr
    assert "both ways" in result.stderr or "M-RoPE" in result.stderr
    assert "these do: uniform, grid" in result.stderr
    for works in ("uniform", "grid"):
        document = ask_json(str(clip), QUESTION, "--method", works, *model, "--n-ctx", "16384")
        assert document["approach"]["method"] == works


@pytest.mark.parametrize("shape", ["tiny-llava", "tiny-internvl"])
def test_pooling_behind_a_projector_that_bends_is_warned_of(
    shape: str, clip: Path, pairs: PairCache
):
    """Video-ChatGPT: an MLP projector gets the warning "approximation", and an answer."""
    model = ("--model", str(pairs.get(shape).weights))
    document = ask_json(str(clip), QUESTION, "--method", "spatiotemporal", *model)
    assert any("is an approximation here" in warning for warning in document["warnings"])
    plain = ask_json(str(clip), QUESTION, "--method", "spatiotemporal")
    assert not any("approximation" in warning for warning in plain["warnings"])


def test_zeros_stand_for_the_frames_that_a_short_video_lacks(clip: Path):
    """Video-ChatGPT: zero padding to T_max, where it is asked for."""
    document = ask_json(str(clip), QUESTION, "--method", "spatiotemporal:pad=zeros")
    assert document["usage"]["visual_tokens"] == 100 + 16


def test_the_same_budget_shown_otherwise_is_another_answer(clip: Path):
    """A5.5: uniform with the budget of slowfast differs from it, choice by choice."""
    options = ("--choices", "red,green,blue")
    slowfast = ask_json(str(clip), QUESTION, "--method", "slowfast:frames=14,slow=1", *options)
    budget = slowfast["usage"]["visual_tokens"]
    assert budget == 8 + 14 * 4
    uniform = ask_json(str(clip), QUESTION, "--frames", "4", *options)
    assert uniform["usage"]["visual_tokens"] == budget
    assert uniform["choices"] != slowfast["choices"]


def test_a_context_too_small_takes_a_part_of_both_pathways_and_says_so(clip: Path):
    document = ask_json(str(clip), QUESTION, "--method", "slowfast", "--n-ctx", "256")
    assert any("fit the context of 256 cells" in warning for warning in document["warnings"])
    plan = plan_json(str(clip), QUESTION, "--method", "slowfast", "--n-ctx", "256")
    assert plan["tokens"]["visual"] == document["usage"]["visual_tokens"] < 256


@pytest.mark.parametrize("name", ["grid", *ARRANGING])
def test_frames_that_are_not_shown_by_themselves_cannot_be_cited(name: str, clip: Path):
    result = invoke("ask", str(clip), QUESTION, "--method", name, "--cite")
    assert result.exit_code == 2
    assert "no frame is shown by itself" in result.stderr


@pytest.mark.parametrize(
    "rule", [("--fps", "2"), ("--select", "shots"), ("--max-gap", "1"), ("--select", "keyframes")]
)
def test_a_rule_for_frames_does_not_go_with_a_method_that_has_its_own(
    rule: tuple[str, str], clip: Path
):
    result = invoke("ask", str(clip), QUESTION, "--method", "slowfast", *rule)
    assert result.exit_code == 2
    assert f"{rule[0]} does not go with --method slowfast" in result.stderr


def test_frames_say_how_many_a_method_looks_at(clip: Path):
    document = ask_json(str(clip), QUESTION, "--method", "grid", "--frames", "9")
    assert len(document["frames"]) == 9
    assert document["approach"]["options"] == {"frames": 9}


def test_a_moment_is_asked_about_with_its_past(clip: Path):
    """MovieChat: breakpoint mode through --at; nothing later than the moment is seen."""
    document = ask_json(str(clip), QUESTION, "--at", "1")
    assert document["approach"]["method"] == "memory"
    assert document["approach"]["why"] == "--at names a moment"
    assert document["frames"][-1]["time_s"] == 1.0
    assert document["coverage"]["end_s"] <= 1.04
    result = invoke("ask", str(clip), QUESTION, "--at", "1", "--method", "grid")
    assert result.exit_code == 2
    assert "--at does not go with --method grid" in result.stderr


def test_auto_takes_uniform_while_everything_fits(long_clip: Path):
    document = ask_json(str(long_clip), QUESTION)
    assert document["approach"]["method"] == "uniform"
    assert document["approach"]["why"] == "the context holds all planned frames"


def test_auto_takes_slowfast_where_frames_would_be_lost(long_clip: Path):
    options = (str(long_clip), QUESTION, "--n-ctx", "512")
    document = ask_json(*options)
    assert document["approach"]["method"] == "slowfast"
    assert document["approach"]["asked"] == "auto"
    assert document["approach"]["why"] == "the context does not hold all planned frames"
    assert len(document["frames"]) == 31  # the published formula takes one of 32 twice
    plan = plan_json(*options)
    assert plan["approach"]["method"] == "slowfast"
    shown = invoke("ask", *options, "--max-tokens", "8", "-v").stderr
    assert "method: slowfast (" in shown
    assert "the context does not hold all planned frames" in shown


def test_many_videos_are_each_watched_by_the_method(clip: Path, long_clip: Path):
    result = invoke("caption", str(clip), str(long_clip), "--method", "memory", "--json",
                    "--max-tokens", "4")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    assert [document["method"] for document in documents] == ["memory", "memory"]
    again = invoke("caption", str(clip), str(long_clip), "--method", "grid", "--json",
                   "--max-tokens", "4")  # fmt: skip
    assert [json.loads(line)["method"] for line in again.stdout.splitlines()] == ["grid"] * 2


def test_2048_frames_fit_one_budget(clips: ClipCache):
    """MovieChat: 2 048 frames go through the real encoder into a fixed budget of tokens."""
    clip = clips.get(duration=82, size=(64, 36), gop=50)
    document = ask_json(str(clip), QUESTION, "--method", "memory:frames=2048,tokens=256")
    assert document["usage"]["visual_tokens"] == 256
    assert len(document["frames"]) == 2048
    assert document["approach"]["encoded"] == 2048


def test_2048_frames_take_the_memory_of_64(clips: ClipCache):
    """MovieChat: through the real decoder and encoder, memory does not grow with the frames.

    Their features alone would take 8 MiB with this model, and their pixels more.
    """
    clip = clips.get(duration=82, size=(64, 36), gop=50)
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    peaks = []
    for frames in (64, 2048):
        method = ("--method", f"memory:frames={frames},tokens=256", "--max-tokens", "2")
        words = (sys.executable, "-m", "vidcli", "ask", str(clip), QUESTION, *method, "--no-cache")
        done = subprocess.run(
            [sys.executable, "-c", script, *words], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 6 * 1024, peaks  # KiB


def test_nothing_is_written_to_the_model_and_torch_is_not_imported(
    clip: Path, pairs: PairCache, tmp_path: Path
):
    """A5.7: after start-up, no file under the model's folder is written; torch is not imported."""
    pair = pairs.get("tiny-idefics3")
    folder = pair.weights.parent
    before = sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir())
    code = (
        "import sys\n"
        "from vidcli.cli.app import app\n"
        "try:\n    app(prog_name='vidcli')\n"
        "except SystemExit as leaving:\n    code = leaving.code or 0\n"
        "sys.exit(code or 90 * ('torch' in sys.modules))\n"
    )
    for name in SHOWING:
        words: list[Any] = ["ask", clip, QUESTION, "--method", name, "--max-tokens", "2"]
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)],
            capture_output=True, text=True, check=False, timeout=120, env=dict(os.environ),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir()) == before


def read_prompt(path: Path) -> str:
    parts = json.loads(path.read_text())["parts"]
    return "".join(part.get("text", "<frames>") for part in parts)


def test_the_published_words_begin_the_answer(clip: Path, tmp_path: Path):
    """SlowFast-LLaVA: --prompt-style slowfast starts the answer, and the answer opens with it."""
    trace = tmp_path / "trace.json"
    options = ("--method", "slowfast", "--prompt-style", "slowfast")
    document = ask_json(str(clip), QUESTION, *options, "--trace", str(trace))
    asked = read_prompt(trace)
    assert "<frames>" in asked
    assert asked.index("sequence of key frames") < asked.index(f"Question: {QUESTION}")
    assert asked.endswith("Answer: In the video,")
    assert document["answer"].startswith("In the video,")
    assert document["usage"]["completion_tokens"] == 8
    text = invoke("ask", str(clip), QUESTION, *options, *SHORT).stdout
    assert text == document["answer"] + "\n"
    plan = plan_json(str(clip), QUESTION, *options)
    usage = document["usage"]
    assert plan["tokens"]["prompt"] == usage["visual_tokens"] + usage["prompt_tokens"]


def test_the_published_words_give_options_letters(clip: Path, tmp_path: Path):
    """SlowFast-LLaVA: multiple choice is asked with letters and begun with Best option:(."""
    trace = tmp_path / "trace.json"
    options = ("--choices", "red,green,blue", "--prompt-style", "slowfast")
    document = ask_json(str(clip), "What colour?", *options, "--trace", str(trace))
    asked = read_prompt(trace)
    assert "helpful expert in video analysis" in asked.split("<frames>")[0]
    assert "(A) red\n(B) green\n(C) blue\nOnly give the best option." in asked
    assert asked.endswith("Best option:(")
    assert document["answer"] in ("red", "green", "blue")
    assert sum(choice["probability"] for choice in document["choices"]) == pytest.approx(1)


@pytest.mark.parametrize("shape", ["tiny-llava", "tiny-gemma3", "tiny-qwen25vl", "tiny-internvl"])
def test_the_published_words_go_with_every_template(shape: str, clip: Path, pairs: PairCache):
    model = ("--model", str(pairs.get(shape).weights), "--n-ctx", "16384")
    options = ("--choices", "red,green", "--prompt-style", "slowfast", "--method", "grid")
    assert ask_json(str(clip), "Which?", *options, *model)["answer"] in ("red", "green")


def test_a_begun_answer_does_not_go_with_another_form(clip: Path):
    result = invoke("ask", str(clip), QUESTION, "--prompt-style", "slowfast", "--cite")
    assert result.exit_code == 2
    assert "begins the answer itself, and does not go with --cite" in result.stderr


@pytest.mark.parametrize("options", [("--prompt-style", "slowfast"), ("--at", "1")])
def test_methods_that_read_take_no_options_of_those_that_show(options: tuple[str, str], clip: Path):
    result = invoke("ask", str(clip), QUESTION, "--method", "captions", *options)
    assert result.exit_code == 2
    assert f"{options[0]} does not go with --method captions" in result.stderr
