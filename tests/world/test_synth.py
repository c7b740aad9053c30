"""A set on disk: the same from the same seed, whole after a kill, read back as it was meant."""

import dataclasses
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import jsonschema
import numpy as np
import pytest

from vidcli.errors import MediaError, UsageError
from vidcli.evaluate.sets import read_set
from vidcli.media.encode import PART
from vidcli.world import render, rows
from vidcli.world.synth import MANIFEST, Settings, list_tones, read_manifest, write_set

SMALL = Settings(seed=3, split="eval", size=96, fps=8, seconds=(0.5, 1.0))
Progress = Callable[[str, int, int], None]


def quiet(phase: str, done: int, total: int) -> None:
    """Nobody watches."""


def write(folder: Path, clips: int = 6, settings: Settings = SMALL, jobs: int = 2, progress=quiet):
    return write_set(folder, settings, clips, jobs=jobs, progress=progress)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set") / "made"
    write(folder, 12)
    return folder


def test_a_set_is_the_same_from_the_same_seed_however_many_work_on_it(made: Path, tmp_path: Path):
    write(tmp_path / "b", 12, jobs=1)
    assert contents(tmp_path / "b") == contents(made)
    write(tmp_path / "c", 12, dataclasses.replace(SMALL, seed=4))
    assert contents(tmp_path / "c").keys() == contents(made).keys()
    assert contents(tmp_path / "c") != contents(made)


def test_clips_are_h264_files_that_show_their_scenes(made: Path):
    for index in (0, 5):
        scene = SMALL.scene(index)
        with av.open(str(made / rows.video_path(index))) as file:
            assert file.streams.video[0].codec_context.name == "h264"
            assert bool(file.streams.audio) == bool(list_tones(scene, 9.0))
            shown = np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])
        drawn = render(scene, np.arange(rows.count_frames(scene, SMALL.fps)) / SMALL.fps, 96)
        assert shown.shape == drawn.shape
        assert np.abs(shown.astype(int) - drawn).mean() < 12


def test_files_have_the_shapes_that_training_and_evaluation_read(made: Path):
    captions = read_lines(made / "captions.jsonl")
    assert all(set(row) == {"video", "caption"} for row in captions)
    assert all((made / row["video"]).is_file() for row in captions)
    text = {"type": "string", "minLength": 1}
    turn = {"type": "object", "properties": {"from": {"enum": ["human", "gpt"]}, "value": text},
            "required": ["from", "value"]}  # fmt: skip
    turns = {"type": "array", "items": turn, "minItems": 2}
    talk = {
        "type": "object",
        "required": ["id", "video", "conversations"],
        "properties": {"id": text, "video": text, "conversations": turns},
    }
    conversations = json.loads((made / "instruct.json").read_text())
    jsonschema.validate(conversations, {"type": "array", "items": talk, "minItems": 12})
    for row in conversations:
        said = row["conversations"]
        assert said[0]["value"].startswith("<video>\n")
        assert not any("<video>" in turn["value"] for turn in said[1:])
        assert [turn["from"] for turn in said] == ["human", "gpt"] * (len(said) // 2)
    dense = json.loads((made / "dense.json").read_text())
    assert list(dense) == [rows.name_clip(index) for index in range(12)]
    for entry in dense.values():
        assert len(entry["timestamps"]) == len(entry["sentences"]) > 0
        assert all(0 <= start < end <= entry["duration"] for start, end in entry["timestamps"])
    for row in read_lines(made / "moments.jsonl"):
        ((start, end),) = row["relevant_windows"]
        assert 0 <= start < end <= row["duration"]
        assert end - start < row["duration"]
    for index, row in enumerate(read_lines(made / "tracks.jsonl")):
        count = rows.count_frames(SMALL.scene(index), SMALL.fps)
        assert all(len(found["boxes"]) == count for found in row["objects"])
    questions = read_set(made)
    assert {question.video.name for question in questions} == {f"{i:06d}.mp4" for i in range(12)}
    assert sum(question.kind == "caption" for question in questions) == 12


def test_speech_is_an_srt_track_in_order(made: Path):
    for index in range(12):
        text = (made / "speech" / f"{rows.name_clip(index)}.srt").read_text()
        blocks = [block.splitlines() for block in text.strip().split("\n\n")]
        assert [block[0] for block in blocks] == [str(n) for n in range(1, len(blocks) + 1)]
        spans = [block[1].split(" --> ") for block in blocks]
        times = [moment for span in spans for moment in span]
        assert times == sorted(times)
        assert all(len(block) == 3 and block[2].endswith(".") for block in blocks)


def test_the_manifest_names_settings_and_digests_of_everything(made: Path):
    import hashlib

    manifest = read_manifest(made)
    assert manifest is not None
    assert manifest["complete"]
    assert manifest["settings"]["seed"] == 3
    assert set(manifest["made_with"]) == {"vidcli", "python", "numpy", "opencv", "ffmpeg"}
    files = {name for name in contents(made) if name != MANIFEST}
    assert set(manifest["sha256"]) == files
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((made / name).read_bytes()).hexdigest() == digest
    assert sum(manifest["questions"].values()) == len(read_set(made))


def test_a_longer_set_begins_with_the_shorter_one(made: Path, tmp_path: Path):
    folder = tmp_path / "set"
    assert write(folder, 4).made == 4
    before = contents(folder)
    done = write(folder, 12)
    assert (done.clips, done.made) == (12, 8)
    assert contents(folder) == contents(made)
    assert all(contents(folder)[name] == data for name, data in before.items() if "videos" in name)


def test_a_killed_run_is_taken_up_again_and_ends_the_same(made: Path, tmp_path: Path):
    folder = tmp_path / "set"
    command = [sys.executable, "-m", "vidcli", "data", "synth", "--out", str(folder),
               "--clips", "12", "--seed", "3", "--split", "eval", "--size", "96", "--fps", "8",
               "--seconds", "0.5-1", "--jobs", "1"]  # fmt: skip
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not len(list(folder.glob("videos/*.mp4"))) >= 3:
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert read_manifest(folder) is not None
    assert not read_manifest(folder)["complete"]
    left = folder / "videos" / f".x.mp4.{running.pid}-1{PART}"
    left.touch()
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout == f"{folder}\n"
    assert contents(folder) == contents(made)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 9}, "another seed"),
        ({"size": 128, "fps": 4}, "another size, fps"),
        ({"split": "train"}, "another split"),
    ],
)
def test_a_folder_of_another_set_is_refused(made: Path, change: dict, said: str):
    before = contents(made)
    with pytest.raises(UsageError, match=said):
        write(made, 12, dataclasses.replace(SMALL, **change))
    assert contents(made) == before


def test_a_folder_with_more_clips_or_other_files_is_refused(made: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="holds 12 clips, more than 5"):
        write(made, 5)
    (tmp_path / "diary.txt").touch()
    with pytest.raises(UsageError, match="other files"):
        write(tmp_path)
    (tmp_path / MANIFEST).write_text("[1, 2")
    with pytest.raises(UsageError, match="cannot be read"):
        write(tmp_path)


def test_a_failing_program_ends_the_run_and_keeps_what_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho no codec today >&2\nexit 1\n")
    program.chmod(0o755)
    write(tmp_path / "set", 2)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    with pytest.raises(MediaError, match="no codec today"):
        write(tmp_path / "set", 6)
    assert len(list((tmp_path / "set" / "videos").iterdir())) == 2


def test_progress_is_told_of_every_clip(tmp_path: Path):
    told: list[tuple[str, int, int]] = []
    write(tmp_path / "set", 3, progress=lambda *report: told.append(report))
    assert [report for report in told if report[0] == "clips"] == [
        ("clips", done, 3) for done in range(4)
    ]


def test_each_object_sounds_the_tone_of_its_colour_while_it_is_there():
    scene = next(found for i in range(200) if (found := SMALL.scene(i)).genre == "order")
    tones = list_tones(scene, 9.0)
    assert len(tones) == 2
    assert tones[0].start < tones[1].start
    assert tones[0].end < tones[1].end
    colours = [shot.colour for shot in scene.shots[0].actors]
    assert (tones[0].hertz == tones[1].hertz) == (colours[0] == colours[1])
