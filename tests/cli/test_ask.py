"""`ask` answers on stdout, tells what the answer rests on, and says the same in JSON."""

import json
import os
import signal
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pexpect
import pytest

from tests.cli.run import VIDCLI, invoke, shell, spawn
from tests.clips import ClipCache
from tests.media.corpus import damage_middle
from vidcli.output.schema import load_schema

pytestmark = pytest.mark.usefixtures("model")
SHORT = ("--max-tokens", "8")
QUESTION = "What happens?"


def is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def ask_json(*args: str) -> dict[str, Any]:
    result = invoke("ask", *args, *SHORT, "--json")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("\n") == 1
    document: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("answer"))
    return document


def test_the_answer_goes_to_stdout_and_what_it_rests_on_to_stderr(clip: Path):
    result = invoke("ask", str(clip), QUESTION, *SHORT)
    assert result.exit_code == 0
    assert result.stdout.endswith("\n")
    assert result.stdout.strip()
    assert "8 frames, 0:00.0–0:02.0, largest unseen gap 0.3 s" in result.stderr
    assert "warning: the answer was cut at 8 tokens" in result.stderr


def test_json_says_what_was_asked_seen_and_spent(clip: Path):
    document = ask_json(str(clip), QUESTION)
    assert document["question"] == QUESTION
    assert document["video"]["path"] == str(clip)
    assert document["video"]["duration"] == 2.0
    assert [frame["id"] for frame in document["frames"]] == list(range(1, 9))
    assert document["frames"][0] == {
        "id": 1, "time_s": 0.12, "reason": "uniform", "visual_tokens": 16,
    }  # fmt: skip
    usage = document["usage"]
    assert (usage["visual_tokens"], usage["completion_tokens"]) == (128, 8)
    assert document["evidence"][0]["frames"] == list(range(1, 9))
    spent = document["timings_s"]
    assert sum(spent.values()) - spent["total"] <= spent["total"]


def test_a_second_question_reuses_the_video_and_a_cache_changes_no_answer(clip: Path):
    first = ask_json(str(clip), QUESTION)
    again = ask_json(str(clip), QUESTION)
    other = ask_json(str(clip), "Who is there?")
    without = ask_json(str(clip), QUESTION, "--no-cache")
    uses = [document["usage"]["cache"] for document in (first, again, other, without)]
    assert uses[0] == {"visual_tokens": "miss", "prefix": "miss"}
    assert uses[1] == uses[2] == {"visual_tokens": "hit", "prefix": "hit"}
    assert uses[3] == {"visual_tokens": "off", "prefix": "off"}
    assert first["answer"] == again["answer"] == without["answer"]
    text = invoke("ask", str(clip), QUESTION, *SHORT).stdout
    assert text == first["answer"] + "\n"


def test_damage_is_told_whether_or_not_the_damaged_frames_were_cached(
    clips: ClipCache, tmp_path: Path
):
    whole = clips.get(duration=4, gop=10, size=(320, 180))
    hurt = damage_middle(whole, tmp_path / "hurt.mp4", length=4000)
    first, again = (ask_json(str(hurt), QUESTION) for _ in range(2))
    assert again["usage"]["cache"]["visual_tokens"] == "hit"
    assert any("damaged" in warning for warning in first["warnings"])
    assert again["warnings"] == first["warnings"]


def test_a_frame_from_before_the_span_covers_its_beginning(clips: ClipCache):
    slow = clips.get(rate=Fraction(1, 5), duration=20)
    document = ask_json(str(slow), QUESTION, "--from", "6", "--to", "9")
    assert [frame["time_s"] for frame in document["frames"]] == [5.0]
    coverage = document["coverage"]
    assert coverage["frames"] == 1
    assert coverage["largest_gap"] == {"start_s": 6.0, "end_s": 9.0, "length_s": 3.0}


def test_choices_are_answered_with_their_probabilities(clip: Path):
    document = ask_json(str(clip), "What colour?", "--choices", "red, green,blue,red")
    assert [choice["text"] for choice in document["choices"]] == ["red", "green", "blue"]
    assert sum(choice["probability"] for choice in document["choices"]) == pytest.approx(1)
    assert document["answer"] in ("red", "green", "blue")


def test_an_answer_under_a_schema_is_what_the_schema_accepts(clip: Path, tmp_path: Path):
    schema = {
        "type": "object",
        "properties": {"count": {"type": "integer", "minimum": 3, "maximum": 9}},
        "required": ["count"],
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    options = ["--schema", str(tmp_path / "schema.json"), "--max-tokens", "64"]
    result = invoke("ask", str(clip), "How many?", *options)
    assert result.exit_code == 0
    jsonschema.validate(json.loads(result.stdout), schema)


def test_citations_name_frames_that_were_shown(clip: Path):
    document = ask_json(str(clip), QUESTION, "--cite", "--max-tokens", "60")
    assert document["citations_dropped"] == 0
    times = {frame["id"]: frame["time_s"] for frame in document["frames"]}
    for entry in document["evidence"]:
        assert entry["start_s"] == min(times[number] for number in entry["frames"])


def test_a_part_of_the_video_is_all_that_is_looked_at(clip: Path):
    document = ask_json(str(clip), QUESTION, "--from", "0.5", "--to", "1", "--frames", "2")
    assert [frame["time_s"] for frame in document["frames"]] == [0.6, 0.84]
    assert (document["coverage"]["start_s"], document["coverage"]["end_s"]) == (0.5, 1.0)


def test_what_does_not_fit_the_context_is_left_out_and_said(clip: Path):
    document = ask_json(str(clip), QUESTION, "--n-ctx", "256", "--max-tokens", "16")
    assert 1 <= len(document["frames"]) < 8
    assert any("fit the context of 256 cells" in warning for warning in document["warnings"])


def test_a_dry_run_plans_and_answers_nothing(clip: Path):
    result = invoke("ask", str(clip), QUESTION, "--dry-run", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("plan"))
    real = ask_json(str(clip), QUESTION)
    assert len(document["frames"]) == len(real["frames"])
    assert document["tokens"]["visual"] == real["usage"]["visual_tokens"]
    used = real["usage"]["visual_tokens"] + real["usage"]["prompt_tokens"]
    assert document["tokens"]["prompt"] == used
    text = invoke("ask", str(clip), QUESTION, "--dry-run").stdout
    assert text.splitlines()[1].startswith("frames   8 frames, ")


def test_a_trace_holds_everything_the_model_was_shown(clip: Path, tmp_path: Path):
    file = tmp_path / "trace.json"
    document = ask_json(str(clip), QUESTION, "--trace", str(file))
    trace = json.loads(file.read_text())
    jsonschema.validate(trace, load_schema("trace"))
    shown = [frame for part in trace["parts"] for frame in part.get("frames", ())]
    assert [(frame["id"], frame["time_s"]) for frame in shown] == [
        (frame["id"], frame["time_s"]) for frame in document["frames"]
    ]
    text = "".join(part.get("text", "") for part in trace["parts"])
    assert QUESTION in text
    last = trace["parts"][-1]
    usage = document["usage"]
    cells = last["cell"] + len(last["token_ids"])
    assert cells == usage["visual_tokens"] + usage["prompt_tokens"]


def test_many_videos_are_answered_one_after_another(clip: Path, broken: Path):
    result = invoke("ask", "-q", QUESTION, str(clip), str(broken), str(clip), *SHORT)
    assert result.exit_code == 8
    first, second = result.stdout.splitlines()
    assert first == second
    assert first.startswith(f"{clip}: ")
    assert str(broken) in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["clip.mp4"],
        ["clip.mp4", " "],
        ["clip.mp4", QUESTION, "--choices", "yes"],
        ["clip.mp4", QUESTION, "--choices", "yes,no", "--cite"],
        ["clip.mp4", QUESTION, "--schema", "missing.json"],
        ["clip.mp4", QUESTION, "--fps", "1", "--select", "shots"],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(args: list[str], clip: Path):
    words = [str(clip) if word == "clip.mp4" else word for word in args]
    result = invoke("ask", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")


def test_a_question_that_is_a_file_is_a_forgotten_question(clip: Path):
    result = invoke("ask", str(clip), str(clip))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "not a question" in result.stderr


def test_a_schema_that_no_grammar_keeps_is_a_usage_error(clip: Path, tmp_path: Path):
    for text in ("no json", "3", '{"not": {}}'):
        (tmp_path / "schema.json").write_text(text)
        result = invoke("ask", str(clip), QUESTION, "--schema", str(tmp_path / "schema.json"))
        assert (result.exit_code, result.stdout) == (2, "")


def test_no_model_is_a_model_error_that_says_how_to_name_one(
    clip: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("VIDCLI_MODEL")
    result = invoke("ask", str(clip), QUESTION)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "VIDCLI_MODEL" in result.stderr


def test_a_file_that_is_no_model_is_a_model_error(clip: Path, tmp_path: Path):
    (tmp_path / "model.gguf").write_text("no model")
    for model in (tmp_path / "model.gguf", tmp_path / "none.gguf"):
        result = invoke("ask", str(clip), QUESTION, "--model", str(model))
        assert (result.exit_code, result.stdout) == (4, "")


def test_a_context_too_small_for_one_frame_is_a_resource_error(clip: Path):
    result = invoke("ask", str(clip), QUESTION, "--n-ctx", "256", "--max-tokens", "250")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "--n-ctx" in result.stderr


def test_a_broken_video_costs_no_model_load(broken: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIDCLI_MODEL", "/nowhere/model.gguf")
    result = invoke("ask", str(broken), QUESTION)
    assert (result.exit_code, result.stdout) == (3, "")


def test_a_gpu_that_is_not_there_is_warned_of(clip: Path):
    from vidcli.engine.native import supports_gpu

    if supports_gpu():
        pytest.skip("this llama.cpp has a GPU backend")
    document = ask_json(str(clip), QUESTION, "--gpu-layers", "9", "--mmproj-device", "gpu")
    assert document["model"]["gpu_layers"] == 0
    said = " ".join(document["warnings"])
    assert "GPU layers were asked for" in said
    assert "--mmproj-device gpu" in said


def test_a_trace_of_many_videos_is_a_usage_error(clip: Path, tmp_path: Path):
    options = ["--trace", str(tmp_path / "t.json")]
    result = invoke("ask", "-q", QUESTION, str(clip), str(clip), *options)
    assert (result.exit_code, result.stdout) == (2, "")


def test_quiet_leaves_stderr_empty(clip: Path):
    result = invoke("ask", str(clip), QUESTION, "--choices", "a,b", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")


def test_verbose_says_where_it_ran(clip: Path):
    result = invoke("ask", str(clip), QUESTION, *SHORT, "-v")
    assert "on CPU" in result.stderr
    assert "128 visual tokens" in result.stderr


def test_a_shell_that_allows_no_memory_for_frames_is_a_resource_error(clip: Path):
    done = shell('ulimit -f 4; $VIDCLI ask "$1" hm --no-cache', str(clip))
    assert (done.returncode, done.stdout) == (5, "")
    assert "no memory for 4 frames" in done.stderr


def test_the_input_of_a_shell_loop_is_left_alone(clip: Path):
    done = shell(
        "printf 'one\\ntwo\\n' | { $VIDCLI ask \"$1\" hm --choices a,b --quiet >&2; cat; }",
        str(clip),
    )
    assert done.stdout == "one\ntwo\n"


def test_an_interrupt_keeps_what_was_printed_and_the_trace_and_exits_130(
    clip: Path, tmp_path: Path
):
    trace = tmp_path / "trace.json"
    options = ["--max-tokens", "7000", "--temperature", "2", "--trace", str(trace)]
    child = subprocess.Popen(
        [*VIDCLI, "ask", str(clip), QUESTION, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    assert child.stdout is not None
    first = child.stdout.read(1)
    child.send_signal(signal.SIGINT)
    rest, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert first + rest
    assert said.splitlines()[-1] == "interrupted"
    assert "Traceback" not in said
    jsonschema.validate(json.loads(trace.read_text()), load_schema("trace"))


def test_being_terminated_leaves_no_process_and_no_traceback(clip: Path):
    options = ["--max-tokens", "7000", "--temperature", "2", "--no-cache"]
    child = subprocess.Popen(
        [*VIDCLI, "ask", str(clip), QUESTION, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    assert child.stdout is not None
    child.stdout.read(1)
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    processes = [[int(number) for number in line.split()] for line in listed.splitlines()]
    mine = [number for number, parent in processes if parent == child.pid]
    child.terminate()
    _, said = child.communicate(timeout=60)
    assert (child.returncode, said) == (128 + signal.SIGTERM, "")
    assert mine
    assert not [number for number in mine if is_running(number)]


def test_a_terminal_sees_progress_and_then_the_answer(clip: Path):
    child = pexpect.spawn(
        VIDCLI[0],
        [*VIDCLI[1:], "ask", str(clip), QUESTION, *SHORT],
        encoding="utf-8",
        timeout=60,
        dimensions=(24, 80),
    )
    child.expect("encode 1/8")
    child.expect("\x1b\\[2K")
    child.expect("largest unseen gap 0.3 s")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.usefixtures("clip")
def test_no_colour_is_obeyed_on_a_terminal(clip: Path):
    command = f"NO_COLOR=1 {' '.join(VIDCLI)} ask '{clip}' hm --choices a,b --no-cache"
    text, code = pexpect.run(f'bash -c "{command}"', withexitstatus=True, timeout=60)
    assert code == 0
    assert b"largest unseen gap" in text
    assert b"\x1b[2m" not in text


def test_a_process_of_its_own_answers_the_same(clip: Path):
    done = spawn("ask", str(clip), QUESTION, *SHORT)
    assert done.returncode == 0
    assert done.stdout == invoke("ask", str(clip), QUESTION, *SHORT).stdout


def test_a_trace_that_cannot_be_written_is_refused_before_any_work(clip: Path, tmp_path: Path):
    missing = tmp_path / "no such folder" / "trace.json"
    result = invoke("ask", str(clip), QUESTION, "--trace", str(missing))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot write" in result.stderr
