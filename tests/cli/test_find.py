"""`find` as people use it: moments with times, and exit code 1 where there is none."""

import json
import os
import pty
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest

from tests.cli.run import VIDCLI, invoke, shell, spawn
from tests.clips import ClipCache
from tests.world.films import film, show, stage
from vidcli.media.probe import probe
from vidcli.output.schema import load_schema

random = pytest.mark.usefixtures("model")
EVENT = "someone opens the door"
ALL = ("--threshold", "0")
NONE = ("--threshold", "1")


@pytest.fixture
def six(clips: ClipCache) -> Path:
    """Six seconds at five frames a second, half of them bright."""

    def draw(number: int, size: tuple[int, int]) -> np.ndarray:
        return np.full((size[1], size[0], 3), 240 if 10 <= number < 20 else 60, np.uint8)

    return clips.get(duration=6, rate=5, size=(64, 36), draw=draw)


def document_of(*args: str | Path, code: int = 0) -> dict[str, Any]:
    result = invoke("find", *map(str, args), "--json")
    assert result.exit_code == code, result.stderr
    made: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(made, load_schema("moments"))
    return made


@random
def test_frames_a_second_are_as_many_as_are_asked_for(six: Path):
    window = ("--window", "2", "--step", "2", *NONE)
    counted = [
        document_of(six, EVENT, *window, *more, code=1)["coverage"]["frames"]
        for more in (("--fps", "1"), ("--fps", "2"), ("--fps", "2", "--frames", "3"))
    ]
    assert counted == [6, 12, 9]


@random
def test_the_threshold_decides_and_the_exit_code_says_it(six: Path):
    found = invoke("find", str(six), EVENT, *ALL)
    nothing = invoke("find", str(six), EVENT, *NONE)
    assert (found.exit_code, nothing.exit_code) == (0, 1)
    assert found.stdout.startswith("0:00.0–")
    assert nothing.stdout == ""
    assert "0 moments in 11 windows and 0 closer looks" in nothing.stderr


@random
def test_json_carries_windows_prior_and_frames(six: Path):
    made = document_of(six, EVENT, *NONE, code=1)
    assert (made["query"], made["moments"], made["looks"]) == (EVENT, [], [])
    assert (made["window_s"], made["step_s"]) == (1, 0.5)
    assert [window["start_s"] for window in made["windows"]] == [n / 2 for n in range(11)]
    assert made["usage"]["completion_tokens"] == 0
    odds = [window["log_odds"] for window in made["windows"]]
    assert made["prior"]["median"] == pytest.approx(np.median(odds), abs=1e-6)
    blind = made["prior"]["blind"]
    taken = max(blind, made["prior"]["median"]) if blind > 0 else 0
    assert made["prior"]["log_odds"] == pytest.approx(taken, abs=1e-6)


@random
def test_a_frame_is_encoded_once_however_many_windows_show_it(six: Path):
    made = document_of(six, EVENT, *NONE, code=1)
    assert len(made["frames"]) == 24
    shown = made["usage"]["visual_tokens"]
    each = made["frames"][0]["visual_tokens"]
    assert shown == each * 4 * 12  # eleven windows and the blind one
    again = document_of(six, EVENT, *NONE, code=1)
    assert again["usage"]["cache"]["visual_tokens"] == "hit"
    assert [w["log_odds"] for w in again["windows"]] == [w["log_odds"] for w in made["windows"]]


@random
def test_another_question_needs_no_encoder(six: Path):
    document_of(six, EVENT, *NONE, code=1)
    other = document_of(six, "Is there a dog?", "--prior", "none", *NONE, code=1)
    assert other["usage"]["cache"]["visual_tokens"] == "hit"
    assert other["timings_s"]["encode"] == 0
    assert other["prior"] == {
        "rule": "none",
        "blind": None,
        "median": other["prior"]["median"],
        "log_odds": 0,
    }


@random
def test_a_model_that_says_yes_of_everything_finds_nothing(clips: ClipCache):
    def draw(number: int, size: tuple[int, int]) -> np.ndarray:
        return np.full((size[1], size[0], 3), 126 + number % 5, np.uint8)

    dull = clips.get(duration=6, rate=5, size=(64, 36), draw=draw)
    believed = document_of(dull, EVENT, "--prior", "none")
    assert [(m["start_s"], m["end_s"]) for m in believed["moments"]] == [(0, 6)]
    made = document_of(dull, EVENT, code=1)
    assert made["prior"]["blind"] > 0
    assert made["prior"]["log_odds"] >= made["prior"]["blind"]
    assert document_of(dull, EVENT, "--prior", "median", code=1)["moments"] == []


@random
def test_window_step_frames_and_span_are_what_was_asked_for(six: Path, tmp_path: Path):
    trace = tmp_path / "trace.json"
    made = document_of(
        six, "Is it bright?", "--window", "2", "--step", "1", "--frames", "2",
        "--from", "1", "--to", "5", "--trace", trace, *NONE, code=1,
    )  # fmt: skip
    spans = [(window["start_s"], window["end_s"]) for window in made["windows"]]
    assert spans == [(1, 3), (2, 4), (3, 5)]
    assert len(made["frames"]) == 4
    told = json.loads(trace.read_text())
    jsonschema.validate(told, load_schema("summary-trace"))
    assert [step["name"] for step in told["steps"]] == [
        "window 1", "window 2", "window 3", "blind window",
    ]  # fmt: skip
    texts = ["".join(part.get("text", "") for part in step["parts"]) for step in told["steps"]]
    assert all("Is it bright?" in text and "0:00:02" in text for text in texts)


@random
def test_lines_of_many_videos_name_file_and_time(six: Path, clip: Path, tmp_path: Path):
    folder = tmp_path / "a b"
    folder.mkdir()
    shutil.copy(six, folder / "six.mp4")
    shutil.copy(clip, folder / "two.mp4")
    result = invoke("find", str(folder), EVENT, *ALL)
    assert result.exit_code == 0, result.stderr
    names = [line.split("@")[0] for line in result.stdout.splitlines()]
    assert set(names) == {str(folder / "six.mp4"), str(folder / "two.mp4")}
    assert all("@0:0" in line for line in result.stdout.splitlines())


@random
def test_one_broken_video_of_several_is_exit_code_8(six: Path, broken: Path):
    result = invoke("find", str(six), str(broken), EVENT, *ALL, "--json")
    assert result.exit_code == 8
    moments, error = (json.loads(line) for line in result.stdout.splitlines())
    jsonschema.validate(moments, load_schema("moments"))
    jsonschema.validate(error, load_schema("error"))


@random
def test_what_a_run_found_is_not_asked_again(six: Path, clip: Path):
    assert invoke("find", str(six), str(clip), EVENT, *NONE).exit_code == 1
    again = invoke("find", str(six), str(clip), EVENT, *NONE)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "skipped 2" in again.stderr


@random
def test_top_keeps_the_best_and_says_how_many_it_leaves_out(six: Path):
    every = document_of(six, EVENT, *ALL)
    made = document_of(six, EVENT, *ALL, "--top", "1")
    best = max(every["moments"], key=lambda moment: moment["score"])
    assert [(m["start_s"], m["score"]) for m in made["moments"]] == [
        (best["start_s"], best["score"])
    ]
    assert made["left_out"] == len(every["moments"]) - 1


@random
def test_moments_are_cut_out_as_files(six: Path, tmp_path: Path):
    folder = tmp_path / "cuts"
    made = document_of(six, EVENT, *ALL, "--clip", folder)
    for moment in made["moments"]:
        length = float(probe(moment["clip"]).duration or 0)
        assert length == pytest.approx(moment["end_s"] - moment["start_s"], abs=0.25)
    assert len(list(folder.iterdir())) == len(made["moments"])


@random
def test_a_moment_is_a_cue_with_the_event_as_its_words(six: Path):
    text = invoke("find", str(six), EVENT, *ALL, "--format", "srt").stdout
    assert text.splitlines()[1].startswith("00:00:00,000 --> ")
    assert text.splitlines()[2] == EVENT
    rows = invoke("find", str(six), EVENT, *ALL, "--format", "csv").stdout.splitlines()
    assert rows[1].split(",")[1] == EVENT


@random
def test_a_plot_is_a_picture_of_the_curve(six: Path, tmp_path: Path):
    path = tmp_path / "curve.png"
    assert invoke("find", str(six), "naïve “x”", *ALL, "--plot", str(path)).exit_code == 0
    image = cv2.imread(str(path))
    assert image.shape == (360, 960, 3)
    is_found = (image == (205, 240, 205)).all(axis=2)
    assert is_found.mean() > 0.1
    assert invoke("find", str(six), EVENT, *NONE, "--plot", str(path)).exit_code == 1
    assert not (cv2.imread(str(path)) == (205, 240, 205)).all(axis=2).any()


@random
def test_a_pipe_gets_lines_only_unless_a_curve_is_asked_for(six: Path):
    plain = spawn("find", str(six), EVENT, *ALL, "--quiet")
    drawn = spawn("find", str(six), EVENT, *ALL, "--quiet", "--curve")
    assert drawn.stdout.startswith(plain.stdout)
    curve = drawn.stdout[len(plain.stdout) :]
    assert curve.isascii()
    assert "\x1b" not in curve
    assert {"1.00", "0.00"} <= {line.split(" ")[0] for line in curve.splitlines()}


def on_terminal(*args: str, columns: int, **env: str) -> str:
    """What a command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [*VIDCLI, *args],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm", **env},
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    assert done.wait() == 0
    return said.decode()


@random
def test_a_terminal_gets_a_curve_as_wide_as_it_is(six: Path):
    told = on_terminal("find", str(six), EVENT, *ALL, columns=44, NO_COLOR="1")
    lines = told.splitlines()
    assert "█" in told or "▁" in told
    assert "\x1b" not in told
    assert max(map(len, lines)) == 43  # the last column is left free
    colourful = on_terminal("find", str(six), EVENT, *ALL, columns=60)
    assert "\x1b[32m" in colourful
    bare = on_terminal("find", str(six), EVENT, *ALL, "--no-curve", columns=60)
    assert len(bare.splitlines()) == bare.count("–") == 1


@random
def test_it_serves_a_shell_as_grep_does(six: Path):
    script = 'if $VIDCLI find "$1" "$2" --quiet --threshold %s > /dev/null; then echo y; fi'
    assert shell(script % 0, str(six), EVENT).stdout == "y\n"
    assert shell(script % 1, str(six), EVENT).stdout == ""
    piped = shell('$VIDCLI find "$1" "$2" --quiet --threshold 0 | head -n 1', str(six), EVENT)
    assert (len(piped.stdout.splitlines()), piped.stderr) == (1, "")


@random
def test_a_dry_run_finds_nothing_and_is_no_no(six: Path):
    result = invoke("find", str(six), EVENT, "--dry-run", "--json")
    assert result.exit_code == 0
    plan = json.loads(result.stdout)
    jsonschema.validate(plan, load_schema("plan"))
    assert (len(plan["frames"]), plan["seconds"]["generate"]) == (24, 0)
    assert "11 windows of 1.00 s" in result.stderr


@random
@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("{clip}",), "a video and an event are needed"),
        (("{clip}", " "), "the event is empty"),
        (("{clip}", "{clip}"), "is a file and not an event"),
        (("{clip}", "x", "--threshold", "2"), "--threshold"),
        (("{clip}", "x", "--top", "0"), "--top"),
        (("{clip}", "x", "--step", "3", "--window", "2"), "unseen"),
        (("{clip}", "x", "--window", "0"), "--window"),
        (("{clip}", "x", "--window", "0.0001"), "frames"),
        (("{clip}", "x", "--prior", "guess"), "--prior"),
        (("{clip}", "x", "--plot", "curve.jpg"), "no PNG file"),
        (("{clip}", "x", "--plot", "nowhere/curve.png"), "cannot write"),
        (("{clip}", "{clip}", "x", "--plot", "curve.png"), "draws one video"),
        (("{clip}", "x", "--from", "9"), "is over before"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(six: Path, args: tuple[str, ...], said: str):
    result = invoke("find", *(arg.format(clip=six) for arg in args))
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@random
def test_a_broken_video_is_no_no(broken: Path):
    assert invoke("find", str(broken), EVENT).exit_code == 3


@random
def test_a_window_that_does_not_fit_has_fewer_frames_and_says_so(six: Path):
    made = document_of(six, EVENT, "--n-ctx", "256", "--frames", "12", *NONE, code=1)
    assert any("fit the context" in warning for warning in made["warnings"])
    assert len(made["frames"]) < 12 * 6


@pytest.mark.parametrize("shape", ["tiny-qwen2vl", "tiny-gemma3", "tiny-internvl"])
def test_families_that_merge_or_number_frames_are_asked_too(
    six: Path, shape: str, model: Path, pairs: Any, monkeypatch: pytest.MonkeyPatch
):
    pair = pairs.get(shape)
    monkeypatch.setenv("VIDCLI_MODEL", str(pair.weights))
    monkeypatch.setenv("VIDCLI_MMPROJ", str(pair.mmproj))
    made = document_of(six, EVENT, *NONE, code=1)
    assert len(made["windows"]) == 11
    assert len({window["log_odds"] for window in made["windows"]}) > 1


@pytest.mark.usefixtures("nano")
def test_an_event_is_found_when_it_is_seen(tmp_path: Path):
    fish, car = show("blue", "fish", 1.0, 4.0), show("red", "car", 5.5, 8.0, group=1)
    clip = film(stage(10.0, fish, car), tmp_path / "two.mp4")
    for query, start, end in (("a red car is shown", 5.5, 8), ("Is there a blue fish?", 1, 4)):
        made = document_of(clip, query)
        assert len(made["moments"]) == 1
        assert made["moments"][0]["start_s"] == pytest.approx(start, abs=0.15)
        assert made["moments"][0]["end_s"] == pytest.approx(end, abs=0.15)
        assert made["moments"][0]["refined"] == {"start": True, "end": True}
    assert document_of(clip, "a green guitar is shown", code=1)["moments"] == []
