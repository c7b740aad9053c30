"""`demo` runs the commands it shows, on what the package brings along."""

import shlex
from pathlib import Path

import cv2

from tests.cli.run import invoke
from vidcli.cli.demo import MOMENT, QUESTIONS, SHEET_FRAMES
from vidcli.core.time import parse_time
from vidcli.media.sheet import choose_columns


def shown_commands(stderr: str) -> list[list[str]]:
    lines = [line for line in stderr.splitlines() if line.startswith("$ ")]
    return [shlex.split(line.removeprefix("$ ")) for line in lines]


def test_the_demo_runs_the_commands_it_shows_and_they_can_be_typed():
    demo = invoke("demo")
    assert demo.exit_code == 0, demo.stderr
    commands = shown_commands(demo.stderr)
    assert [words[:2] for words in commands] == [
        ["vidcli", "frames"], ["vidcli", "caption"], *[["vidcli", "ask"]] * len(QUESTIONS),
        ["vidcli", "find"],
    ]  # fmt: skip
    assert [words[3] for words in commands[2:]] == [text for _, text in (*QUESTIONS, MOMENT)]
    typed = [invoke(*words[1:]) for words in commands]
    assert [result.exit_code for result in typed] == [0] * len(commands)
    assert "".join(result.stdout for result in typed) == demo.stdout


def test_what_the_demo_says_of_its_clips_is_true():
    said = invoke("demo").stdout.splitlines()[1:]
    assert said == [
        "A green hat moves to the left, and a pink kite stands still.",
        "to the left",
        "pink",
        "the purple cup",
        said[-1],
    ]
    start, end = (parse_time(text) for text in said[-1].split()[0].split("–"))
    assert abs(start - 2.6) < 0.5
    assert abs(end - 4.6) < 0.5


def test_the_demo_names_a_sheet_of_the_frames_it_chose():
    sheet = Path(invoke("demo").stdout.splitlines()[0])
    picture = cv2.imread(str(sheet))
    assert picture is not None
    rows = -(-int(SHEET_FRAMES) // choose_columns(int(SHEET_FRAMES), 1.0))
    assert picture.shape[0] > rows * picture.shape[1] / int(SHEET_FRAMES)


def test_a_question_of_ones_own_is_the_only_one_asked():
    demo = invoke("demo", "Is it Tuesday?")
    assert [words[3] for words in shown_commands(demo.stderr)[2:]] == ["Is it Tuesday?"]


def test_the_demo_says_what_its_model_is_and_how_to_get_a_real_one():
    said = invoke("demo").stderr.splitlines()
    assert "nano knows its small drawn world" in said[-2]
    assert said[-1].endswith("vidcli models pull smolvlm2-500m")


def test_a_cache_that_cannot_be_written_is_a_resource_error():
    demo = invoke("demo", env={"VIDCLI_CACHE_DIR": "/proc/none"})
    assert (demo.exit_code, demo.stdout) == (5, "")
    assert "VIDCLI_CACHE_DIR" in demo.stderr


def test_a_failing_step_ends_the_demo_with_its_code():
    demo = invoke("demo", " ")
    assert demo.exit_code == 2
    assert "the question is empty" in demo.stderr
    assert "drawn world" not in demo.stderr
