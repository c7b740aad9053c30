"""A toy world on disk, and models that learnt it: made once a session, in seconds."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.train.toy import list_toys, write_captions, write_questions, write_videos

if TYPE_CHECKING:
    from vidcli.train.run import RunReport, Stage

if os.environ.get("VIDCLI_TRAINING_TESTS"):  # of .ci/run: nothing here may be skipped then
    import transformers  # noqa: F401

TAUGHT, HELD_OUT = 24, 8  # clips


@dataclass(frozen=True)
class World:
    """Videos and data files.

    Attributes:
        folder: Of all of them.
        captions: To learn from, and `val_captions` to measure on.
        questions: Two turns a video, and `val_questions`.
    """

    folder: Path

    @property
    def captions(self) -> Path:
        return self.folder / "captions.jsonl"

    @property
    def val_captions(self) -> Path:
        return self.folder / "val_captions.jsonl"

    @property
    def questions(self) -> Path:
        return self.folder / "questions.json"

    @property
    def val_questions(self) -> Path:
        return self.folder / "val_questions.json"

    def video(self, n: int) -> Path:
        return self.folder / f"t{n:02d}.mp4"


@dataclass(frozen=True)
class Trained:
    """A finished run."""

    folder: Path
    report: "RunReport"


@contextmanager
def home(folder: Path) -> Iterator[None]:
    """Caches of whatever runs in the block go to a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDCLI_CACHE_DIR", str(folder / "cache"))
        patch.setenv("VIDCLI_DATA_DIR", str(folder / "data"))
        yield


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    toys = list_toys()
    assert len(toys) == TAUGHT + HELD_OUT
    write_videos(folder, toys)
    write_captions(folder / "captions.jsonl", toys[:TAUGHT])
    write_captions(folder / "val_captions.jsonl", toys[TAUGHT:], first=TAUGHT)
    write_questions(folder / "questions.json", toys[:TAUGHT])
    write_questions(folder / "val_questions.json", toys[TAUGHT:], first=TAUGHT)
    return World(folder)


def run(base, world, folder, **settings) -> Trained:
    """Run a stage on the toy world and close everything."""
    with ExitStack() as stack:
        return Trained(folder, carry_out(open_toy_stage(base, world, stack, **settings), folder))


def open_toy_stage(
    base, world, stack: ExitStack, *, questions: bool = False, **settings
) -> "Stage":
    import torch

    from vidcli.train.config import RunConfig
    from vidcli.train.dataset import open_dataset
    from vidcli.train.run import open_stage

    torch.set_num_threads(1)
    data = (
        (world.questions, world.val_questions)
        if questions
        else (world.captions, world.val_captions)
    )
    dataset = open_dataset([data[0]], val=[data[1]])
    rate = settings.pop("rate")
    given = {
        "stage": "pretrain",
        "parts": ("connector",),
        "reset": False,
        "lora": None,
        "frames": 2,
        "batch": 12,
        "accumulate": 1,
        "lr": dict.fromkeys(("connector", "vision", "text", "qformer"), rate),
        **settings,
    }
    return open_stage(base, dataset, RunConfig(**given), stack, device=torch.device("cpu"))


def carry_out(stage: "Stage", folder: Path) -> "RunReport":
    from vidcli.train.run import run_stage

    return run_stage(stage, folder, tell=lambda _: None)


@pytest.fixture(scope="session")
def scratch(world: World, tmp_path_factory: pytest.TempPathFactory):
    """A tiny SmolVLM that has learnt nothing, with a tokenizer of the toy world's words."""
    from tests.train.toy import SIDE
    from vidcli.train.base import Base, make_files
    from vidcli.train.data.files import read_data
    from vidcli.train.scratch import ScratchConfig, make_scratch
    from vidcli.train.vocabulary_texts import texts_of

    folder = tmp_path_factory.mktemp("scratch")
    samples = read_data(world.captions) + read_data(world.questions)
    sizes = ScratchConfig(
        image_size=SIDE, patch_size=16, scale_factor=2, vocabulary=448,
        width=64, layers=2, heads=4, kv_heads=2, inner=128,
        vision_width=32, vision_layers=1, vision_heads=2, vision_inner=64,
    )  # fmt: skip
    with home(folder):
        pair = make_scratch(sizes, texts_of(samples), folder=folder, name="toy", seed=1)
        return Base(make_files(*pair, "toy"), source="from scratch")


@pytest.fixture(scope="session")
def seeing(scratch, world: World, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The scratch model after everything in it learnt captions: a bundle."""
    folder = tmp_path_factory.mktemp("seeing")
    with home(folder):
        return run(
            scratch, world, folder / "seeing",
            parts=("connector", "vision", "text"), reset=True, steps=260, rate=3e-3,
        )  # fmt: skip


@pytest.fixture(scope="session")
def realigned(seeing: Trained, world: World, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The seeing model after a connector from random weights learnt captions alone."""
    from vidcli.train.base import open_bundle

    folder = tmp_path_factory.mktemp("realigned")
    with home(folder):
        base = open_bundle(seeing.folder)
        return run(base, world, folder / "realigned", reset=True, steps=80, rate=1e-2)


@pytest.fixture(scope="session")
def tuned(seeing: Trained, world: World, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The seeing model after LoRA learnt to answer questions in one word."""
    from vidcli.train.base import open_bundle
    from vidcli.train.lora import LoraSettings

    folder = tmp_path_factory.mktemp("tuned")
    with home(folder):
        return run(
            open_bundle(seeing.folder), world, folder / "tuned",
            questions=True, stage="tune", parts=(), lora=LoraSettings(), steps=80, rate=5e-3,
        )  # fmt: skip
