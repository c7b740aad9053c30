"""`chat` keeps the video, answers line by line, and works in a pipe as on a terminal."""

import json
import os
from pathlib import Path

import jsonschema
import pexpect
import pytest

from tests.cli.run import VIDCLI, invoke, spawn
from tests.clips import ClipCache
from vidcli.output.schema import load_schema
from vidcli.settings import state_dir

pytestmark = pytest.mark.usefixtures("model")
SHORT = ("--max-tokens", "8")


def talk(clip: Path, *lines: str, options: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]
    stdin = "".join(f"{line}\n" for line in lines)
    return invoke("chat", str(clip), *SHORT, *options, stdin=stdin)


def test_a_pipe_gets_answers_only(clip: Path):
    result = talk(clip, "What happens?", "", "And then?")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) >= 2
    assert "> " not in result.stdout
    assert "8 frames, " in result.stderr


def test_the_first_answer_is_what_ask_answers(clip: Path):
    asked = invoke("ask", str(clip), "What happens?", *SHORT)
    assert talk(clip, "What happens?").stdout == asked.stdout


def test_each_turn_costs_only_its_own_tokens(clip: Path):
    result = talk(clip, "What happens?", "And then?", options=("--json", "--no-cache"))
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    for document in (first, second):
        jsonschema.validate(document, load_schema("answer"))
    assert second["usage"]["cache"]["prefix"] == "hit"
    assert second["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]


def test_every_answer_says_how_frames_were_chosen_and_what_to_know_of_the_video(
    clips: ClipCache, tmp_path: Path
):
    whole = clips.get(duration=4, options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    options = ("--json", "--select", "keyframes", "--mmproj-device", "gpu")
    result = talk(cut, "What happens?", "And then?", options=options)
    assert result.exit_code == 0
    for line in result.stdout.splitlines():
        document = json.loads(line)
        assert document["method"] == "keyframes"
        assert any(text.startswith("file ends at ") for text in document["warnings"])
        assert any("--mmproj-device gpu" in text for text in document["warnings"])
    assert result.stderr.count("file ends at ") == 1  # once a conversation
    assert result.stderr.count("--mmproj-device gpu") == 1


def test_a_line_in_another_encoding_is_answered(clip: Path):
    done = spawn(
        "chat",
        str(clip),
        *SHORT,
        input="What is a caf\udce9?\n",
        errors="surrogateescape",
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
    )
    assert done.returncode == 0
    assert done.stdout.strip()


def test_frames_lists_what_the_model_sees(clip: Path):
    result = talk(clip, "/frames", options=("--frames", "2"))
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["1", "0:00.48", "uniform", "16", "tokens"],
        ["2", "0:01.48", "uniform", "16", "tokens"],
    ]


def test_at_looks_closer_and_asks(clip: Path):
    result = talk(clip, "/at 1 What is there?", "/frames", options=("--frames", "2", "--quiet"))
    assert result.exit_code == 0
    listed = [line.split() for line in result.stdout.splitlines() if line.endswith("tokens")]
    times = [row[1] for row in listed]
    assert times == sorted(times)
    assert "0:01.00" in times
    assert len(times) == 6
    assert [row[0] for row in listed] == ["1", "2", "3", "4", "5", "6"]
    assert len(result.stdout.splitlines()) > 6


def test_at_leaves_earlier_frames_out_where_the_context_is_full(clip: Path):
    result = talk(clip, "/at 1", "/frames", options=("--n-ctx", "256", "--max-tokens", "4"))
    assert result.exit_code == 0
    assert "left out to fit the context" in result.stderr
    assert "0:01.00" in result.stdout


def test_save_writes_markdown_or_json(clip: Path, tmp_path: Path):
    text, data = tmp_path / "talk.md", tmp_path / "talk.json"
    result = talk(clip, "What happens?", f"/save {text}", f"/save {data}", options=("--quiet",))
    assert result.exit_code == 0
    answer = result.stdout.strip()
    assert f"**What happens?**\n\n{answer}\n" in text.read_text()
    document = json.loads(data.read_text())
    jsonschema.validate(document, load_schema("chat"))
    assert [turn["answer"] for turn in document["turns"]] == [answer]


def test_quit_ends_before_later_lines(clip: Path):
    result = talk(clip, "/quit", "What happens?")
    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize(
    "line", ["/nope", "/at", "/at x", "/at 1:00", "/save", "/save /dev/null/x"]
)
def test_a_command_that_makes_no_sense_ends_a_pipe_with_a_usage_error(clip: Path, line: str):
    result = talk(clip, line, "What happens?")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "error: " in result.stderr


def test_help_goes_to_stderr(clip: Path):
    result = talk(clip, "/help", options=("--quiet",))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "/at TIME" in result.stderr


def test_a_person_gets_a_prompt_history_and_a_second_chance(clip: Path):
    child = pexpect.spawn(
        VIDCLI[0],
        [*VIDCLI[1:], "chat", str(clip), *SHORT],
        encoding="utf-8",
        timeout=60,
        dimensions=(24, 80),
    )
    try:
        child.expect("> ")
        child.sendline("/nope")
        child.expect("error: there is no command /nope")
        child.expect("> ")
        child.sendintr()
        child.expect("\ninterrupted")
        child.expect("> ")
        child.sendline("What happens?")
        child.expect("cut at 8 tokens")
        child.expect("> ")
        child.send("\x1b[A")  # the line before
        child.expect("What happens\\?")
        child.sendline("")
        child.expect("cut at 8 tokens")
        child.expect("> ")
        child.sendeof()
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    assert child.exitstatus == 0
    history = state_dir() / "chat_history"
    assert "What happens?" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0


def test_an_interrupted_answer_leaves_the_talk_going(clip: Path):
    options = ["--max-tokens", "7000", "--temperature", "2", "--no-cache", "--quiet"]
    child = pexpect.spawn(
        VIDCLI[0],
        [*VIDCLI[1:], "chat", str(clip), *options],
        encoding="utf-8",
        codec_errors="replace",
        timeout=60,
        dimensions=(24, 80),
    )
    try:
        child.expect("> ")
        child.sendline("/frames")
        child.expect("8 .*tokens\r\n> ")
        child.sendline("What happens?")
        # What was typed, then the answer; a slow machine echoes it once more, before the prompt.
        child.expect("happens\\?\r\n(?!> )[^\x1b]*[a-z]{3}")
        child.sendintr()
        child.expect("\ninterrupted")
        child.expect("> ")
        child.sendline("/frames")
        child.expect("8 .*tokens\r\n> ")
        child.sendline("/quit")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    assert child.exitstatus == 0
