"""What the packaged model says of its small world is so: the whole way, in words."""

import json
from dataclasses import replace
from pathlib import Path

import av
import ffmpeg
import numpy as np
import pytest

from tests.cli.run import invoke
from tests.clips import run_ffmpeg
from tests.world.films import film, find_stage, show, stage
from vidcli.demo import CUP_THEN_ROCKET, HAT_AND_KITE
from vidcli.media.encode import ClipFormat, encode_clip
from vidcli.models.packaged import FOLDER
from vidcli.world.scene import Actor
from vidcli.world.scene import Path as Way

MOST_BYTES = 12_000_000
DEMO = Path(__file__).parents[2] / "vidcli" / "demo"

pytestmark = pytest.mark.usefixtures("nano")


def ask(clip: Path, question: str) -> str:
    result = invoke("ask", str(clip), question)
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


def move(colour: str, kind: str, *, xs: tuple[float, float], ys: tuple[float, float]) -> Actor:
    """An object that moves evenly for four seconds."""
    motion = "left" if xs[1] < xs[0] else "right" if xs[1] > xs[0] else "up"
    actor = replace(find_stage().shots[0].actors[0], kind=kind, colour=colour, size=0.35)
    path = Way((0.0, 4.0), xs, ys)
    return replace(actor, motion=motion, path=path, appears=0.0, vanishes=4.0, group=0)


def turn_around(clip: Path, target: Path) -> Path:
    """The same pictures, last first, as a file."""
    with av.open(str(clip)) as opened:
        stream = opened.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in opened.decode(stream)]
        rate = round(stream.average_rate or 0)
    height, width = frames[0].shape[:2]
    encode_clip(
        target, [np.stack(frames[::-1])], ClipFormat(width, height, rate, 18), n_frames=len(frames)
    )
    return target


def test_a_red_ball_that_rolls_left_is_said_to(tmp_path):
    ball = move("red", "ball", xs=(0.85, 0.15), ys=(0.5, 0.5))
    clip = film(stage(4.0, ball), tmp_path / "ball.mp4")
    assert ask(clip, "Which way does the red ball move?") == "to the left"
    caption = invoke("caption", str(clip)).stdout
    assert "red ball" in caption
    assert "to the left" in caption


def test_a_clip_that_runs_backwards_is_said_to_go_the_other_way(tmp_path):
    question = "Which way does the green hat move?"
    assert ask(DEMO / HAT_AND_KITE, question) == "to the left"
    back = turn_around(DEMO / HAT_AND_KITE, tmp_path / "back.mp4")
    assert ask(back, question) == "to the right"


def test_what_comes_first_depends_on_what_does(tmp_path):
    question = "Which comes first, the red car or the blue fish?"
    car, fish = show("red", "car", 0.6, 2.6), show("blue", "fish", 3.2, 5.2, group=1)
    first = film(stage(6.0, car, fish), tmp_path / "car.mp4")
    car, fish = show("red", "car", 3.2, 5.2, group=1), show("blue", "fish", 0.6, 2.6)
    second = film(stage(6.0, fish, car), tmp_path / "fish.mp4")
    assert (ask(first, question), ask(second, question)) == ("the red car", "the blue fish")


def test_check_tells_what_is_there_from_what_is_not():
    clip = str(DEMO / CUP_THEN_ROCKET)
    assert invoke("check", clip, "There is a blue rocket.").exit_code == 0
    assert invoke("check", clip, "There is a red tree.").exit_code == 1


def test_a_part_of_a_video_is_told_by_itself():
    clip = str(DEMO / CUP_THEN_ROCKET)
    early = invoke("caption", clip, "--from", "0.8", "--to", "2").stdout
    late = invoke("caption", clip, "--from", "3.6", "--to", "4.6").stdout
    assert ("cup" in early, "rocket" in early) == (True, False), early
    assert ("cup" in late, "rocket" in late) == (False, True), late


def choose(clip: Path, question: str, choices: str) -> str:
    result = invoke("ask", str(clip), question, "--choices", choices)
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


def test_options_are_told_apart_without_a_list_in_the_prompt(tmp_path):
    clip, trace = DEMO / HAT_AND_KITE, tmp_path / "trace.json"
    colours = "red,orange,yellow,green,blue,purple,pink,brown"
    assert choose(clip, "What colour is the hat?", colours) == "green"
    assert choose(clip, "What colour is the kite?", colours) == "pink"
    ways = "to the left,to the right,up,down"
    assert choose(clip, "Which way does the green hat move?", ways) == "to the left"
    asked = ("ask", str(clip), "What colour is the hat?", "--choices", colours)
    assert invoke(*asked, "--trace", str(trace)).exit_code == 0
    assert "orange" not in trace.read_text()


UNREAD = "nano has learnt to answer about pictures, not to read or to plan"


@pytest.mark.parametrize(
    "words",
    [
        ("ask", "CLIP", "What moves?", "--method", "captions"),
        ("agent", "CLIP", "What moves?", "--max-tokens", "16"),
        ("summarize", "CLIP", "--max-tokens", "16"),
        ("ask", "CLIP", "What moves?", "--method", "captions", "--planner", "nano"),
    ],
    ids=lambda words: words[0],
)
def test_what_it_writes_from_words_is_said_to_be_unsure(words):
    command = [str(DEMO / HAT_AND_KITE) if word == "CLIP" else word for word in words]
    result = invoke(*command, "--json")
    assert result.exit_code == 0, result.stderr
    assert UNREAD in result.stderr
    assert any(UNREAD in warning for warning in json.loads(result.stdout)["warnings"])


def test_instructions_that_it_writes_are_said_to_be_unsure(tmp_path):
    result = invoke(
        "data", "instruct", str(DEMO / HAT_AND_KITE), "--tasks", "yes-no", "--per-task", "1",
        "--watch", "--max-tokens", "8", "--out", str(tmp_path / "rows.jsonl"),
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert UNREAD in result.stderr


def test_what_it_says_of_pictures_is_not():
    for words in (("caption",), ("ask", "What moves?"), ("dense",), ("find", "a green hat")):
        said = invoke(words[0], str(DEMO / HAT_AND_KITE), *words[1:])
        assert UNREAD not in said.stderr, words


def test_a_folder_is_told_once_that_it_does_not_read(tmp_path):
    for name in (HAT_AND_KITE, CUP_THEN_ROCKET):
        (tmp_path / name).write_bytes((DEMO / name).read_bytes())
    said = invoke("summarize", str(tmp_path), "--recursive", "--max-tokens", "8").stderr
    assert said.count(UNREAD) == 1


def test_footage_unlike_its_world_is_said_to_be(tmp_path):
    strange = tmp_path / "strange.mp4"
    run_ffmpeg(
        ffmpeg.input("mandelbrot=s=320x240:r=12", f="lavfi", t=4).output(str(strange), crf=20)
    )
    said = invoke("ask", str(strange), "What happens in the video?").stderr
    assert "unlike what the model was trained on" in said
    known = invoke("ask", str(DEMO / HAT_AND_KITE), "What happens in the video?").stderr
    assert "unlike" not in known


def test_the_packaged_model_is_small():
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= MOST_BYTES
