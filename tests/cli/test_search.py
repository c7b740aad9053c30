"""`search` as people use it: hits of many videos, best first, by a model's heads."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from tests.cli.run import invoke, shell
from tests.clips import ClipCache
from tests.heads import make_heads, save_seeker
from tests.pairs import PairCache, load
from vidcli.core.results import Timings
from vidcli.core.time import Span
from vidcli.media.video import open_video
from vidcli.media.worker import DecoderWorker
from vidcli.methods.sliding import lay_windows
from vidcli.methods.watch import watch
from vidcli.models.shapes import make_pair
from vidcli.models.tensors import read_tensors
from vidcli.output.schema import load_schema

TEXT = "a bright picture"


@pytest.fixture
def seeker(pairs: PairCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle with heads, as the model that commands load."""
    folder = save_seeker(pairs.get("tiny-idefics3"), tmp_path / "seeker")
    monkeypatch.setenv("VIDCLI_MODEL", str(folder))
    monkeypatch.setenv("VIDCLI_THREADS", "1")
    monkeypatch.delenv("VIDCLI_MMPROJ", raising=False)
    return folder


def paint(level: Callable[[int], int]) -> Callable[[int, tuple[int, int]], np.ndarray]:
    def draw(number: int, size: tuple[int, int]) -> np.ndarray:
        image = np.full((size[1], size[0], 3), 60, np.uint8)
        image[:, : size[0] // 2] = level(number)
        return image

    return draw


@pytest.fixture
def folder(clips: ClipCache, tmp_path: Path) -> Path:
    """Two videos of four seconds whose left half gets brighter, or flickers."""
    levels: dict[str, Callable[[int], int]] = {
        "up.mp4": lambda n: 12 * n,
        "flicker\n.mp4": lambda n: 240 if n % 10 < 5 else 20,
    }
    made = tmp_path / "videos"
    made.mkdir()
    for name, level in levels.items():
        shutil.copy(clips.get(duration=4, rate=5, size=(64, 36), draw=paint(level)), made / name)
    return made


def search(*args: str | Path, code: int = 0) -> dict[str, Any]:
    result = invoke("search", TEXT, *map(str, args), "--json")
    assert result.exit_code == code, result.stderr
    document: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    jsonschema.validate(document, load_schema("search"))
    return document


@pytest.mark.usefixtures("seeker")
def test_hits_of_all_videos_come_best_first_and_do_not_meet(folder: Path):
    document = search(folder, "--top", "100")
    hits = document["hits"]
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert {Path(hit["path"]).name for hit in hits} == {"up.mp4", "flicker\n.mp4"}
    for one in hits:
        meeting = [
            hit
            for hit in hits
            if hit["path"] == one["path"]
            and one["start_s"] < hit["end_s"]
            and hit["start_s"] < one["end_s"]
        ]
        assert meeting == [one]
    assert document["searched"]["videos"] == 2
    assert document["left_out"] == 0


def test_a_score_is_the_cosine_of_a_numpy_reference(folder: Path, seeker: Path, pairs: PairCache):
    """LaViLa's dual encoder: each window's mean, and its change, against the text's mean."""
    pair, clip = pairs.get("tiny-idefics3"), str(folder / "up.mp4")
    hits = search(clip, "--window", "2", "--step", "1", "--frames", "4", "--top", "9")["hits"]
    assert len(hits) == 2
    table = read_tensors(pair.weights, "token_embd.weight".__eq__)["token_embd.weight"]
    heads = make_heads(table.shape[1])
    with load(pair) as session, DecoderWorker() as worker:
        ids = session.tokenize(f" {TEXT}", special=False)
        text = heads["text.weight"] @ table[ids].mean(0) + heads["text.bias"]
        for hit in hits:
            span = Span(int(hit["start_s"]), int(hit["end_s"]))
            grid = lay_windows(span, window=span.length, step=span.length, frames=4)
            seen = watch(
                open_video(clip, worker), session, grid.plan, size=session.frame_size((64, 36)),
                store=None, timings=Timings(),
            )  # fmt: skip
            means = [np.float32(image.tokens.data).mean(0) for image in seen.images]
            change = (means[2] + means[3]) / 2 - (means[0] + means[1]) / 2
            summary = np.concatenate([np.mean(means, axis=0), change])
            video = heads["video.weight"] @ summary + heads["video.bias"]
            cosine = video @ text / np.linalg.norm(video) / np.linalg.norm(text)
            assert hit["score"] == pytest.approx(float(cosine), abs=2e-3)


@pytest.mark.usefixtures("seeker")
def test_what_was_looked_at_before_is_not_encoded_again(folder: Path):
    first, second = search(folder), search(folder)
    assert first["searched"]["encoded"] > 0
    assert second["searched"]["encoded"] == 0
    assert second["hits"] == first["hits"]


@pytest.mark.usefixtures("seeker")
def test_lines_can_be_taken_apart(folder: Path):
    document = search(folder, "--top", "3")
    result = invoke("search", TEXT, str(folder), "--top", "3")
    lines = result.stdout.splitlines()
    assert len(lines) == len(document["hits"]) == 3
    for line, hit in zip(lines, document["hits"], strict=True):
        place, score = line.rsplit(" ", 1)
        path, times = place.rsplit("@", 1)
        assert path == hit["path"].replace("\n", "\\n")
        assert times.startswith(f"0:{hit['start_s']:04.1f}–")
        assert float(score) == pytest.approx(hit["score"], abs=6e-4)
    assert f"{document['left_out']} more with a larger --top" in result.stderr


@pytest.mark.usefixtures("seeker")
def test_nothing_found_is_exit_code_1(folder: Path):
    result = invoke("search", TEXT, str(folder), "--threshold", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "0 hits in " in result.stderr


@pytest.mark.usefixtures("seeker")
def test_a_broken_video_does_not_cost_the_others(folder: Path, broken: Path):
    document = search(folder, broken, code=8)
    assert document["searched"]["videos"] == 2
    assert document["hits"]
    alone = invoke("search", TEXT, str(broken))
    assert (alone.exit_code, alone.stdout) == (3, "")


@pytest.mark.usefixtures("seeker")
def test_a_dry_run_compares_nothing(folder: Path):
    result = invoke("search", TEXT, str(folder), "--dry-run", "--json")
    assert result.exit_code == 0, result.stderr
    plans = [json.loads(line) for line in result.stdout.splitlines()]
    assert [plan["schema"]["name"] for plan in plans] == ["plan", "plan"]
    for plan in plans:
        jsonschema.validate(plan, load_schema("plan"))
        assert plan["seconds"]["prefill"] == plan["seconds"]["generate"] == 0
        assert plan["tokens"]["prompt"] == plan["tokens"]["reserved"] == 0
        assert plan["tokens"]["visual"] == plan["tokens"]["per_frame"] * len(plan["frames"])


@pytest.mark.usefixtures("seeker")
def test_a_reader_that_leaves_is_no_error(folder: Path):
    done = shell(f"$VIDCLI search '{TEXT}' '{folder}' | head -n 1")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("model")
def test_a_model_without_heads_is_refused_before_any_work(folder: Path):
    result = invoke("search", TEXT, str(folder))
    assert result.exit_code == 4
    assert "no heads to search with" in result.stderr
    assert "vidcli find VIDEO TEXT" in result.stderr
    assert "train pretrain --objective contrast" in result.stderr


@pytest.mark.usefixtures("seeker")
def test_a_projector_that_the_heads_do_not_know_is_refused(folder: Path, tmp_path: Path):
    """Vectors of another projector's tokens would have scores that mean nothing."""
    _, other = make_pair("tiny-idefics3", tmp_path, seed=1)
    for way in ([], ["--dry-run"]):
        result = invoke("search", TEXT, str(folder), "--mmproj", str(other), *way)
        assert (result.exit_code, result.stdout) == (4, "")
        assert "leave out --mmproj" in result.stderr


def test_the_own_projector_may_be_named(folder: Path, seeker: Path):
    own = next(seeker.glob("*mmproj*"))
    assert search(folder, "--mmproj", own)["hits"] == search(folder)["hits"]


def test_a_model_that_is_not_there_is_not_said_to_lack_heads(folder: Path, tmp_path: Path):
    for named in (str(tmp_path / "none"), "nonesuch"):
        result = invoke("search", TEXT, str(folder), "--model", named)
        assert result.exit_code == 4
        assert "there is no model" in result.stderr
        assert "heads" not in result.stderr


@pytest.mark.usefixtures("seeker")
def test_the_context_does_not_matter_as_nothing_is_put_to_the_model(folder: Path):
    assert search(folder, "--n-ctx", "256")["hits"] == search(folder)["hits"]
    result = invoke("search", TEXT, str(folder / "up.mp4"), "--n-ctx", "256", "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert "kept for the answer" not in result.stdout
    assert "nothing is put to the model" in result.stdout


@pytest.mark.usefixtures("seeker")
def test_frames_a_second_are_as_many_as_are_asked_for(folder: Path):
    def count_frames(*args: str) -> int:
        found = search(folder / "up.mp4", "--window", "2", "--step", "2", *args)
        frames: int = found["searched"]["frames"]
        return frames

    assert [count_frames("--fps", fps) for fps in ("0.5", "1", "4")] == [2, 4, 16]
    assert count_frames("--fps", "4", "--frames", "3") == 6


@pytest.mark.usefixtures("seeker")
def test_an_empty_text_is_refused(folder: Path):
    result = invoke("search", " ", str(folder))
    assert result.exit_code == 2
    assert "the text is empty" in result.stderr
