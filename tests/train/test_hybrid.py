"""Family 4 from end to end: a model that tells what is said and what is seen in one answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

from tests.cli.run import invoke
from tests.train.spoken import BOTH, HELD_OUT, NAME, SAID, TAUGHT, Spoken, list_clips, write_spoken
from tests.train.toy import SIDE, WAYS
from vidcli.evaluate.metrics import wilson
from vidcli.methods.ask import CAPTION_QUESTION
from vidcli.models.bundle import read_bundle
from vidcli.models.digest import digest_file

pytestmark = pytest.mark.train

SIZES = f"""
image_size = {SIDE}
patch_size = 16
scale_factor = 2
vocabulary = 768
width = 64
layers = 2
heads = 4
kv_heads = 2
inner = 128
vision_width = 32
vision_layers = 1
vision_heads = 2
vision_inner = 64
"""
SHORT = (
    "--frames", "2", "--batch", "12", "--accumulate", "1", "--device", "cpu", "--threads", "1",
    "--eval-samples", "8",
)  # fmt: skip
GO_ON = ("--unfreeze", "all", "--keep-connector")
CHANCE = 0.5  # what anybody gets who knows one of the two facts and guesses the other


@dataclass(frozen=True)
class Made:
    """What the pipeline left behind.

    Attributes:
        spoken: The world.
        pairs: What `data narrate` wrote.
        folders: Of the runs, by stage, and of the exported bundle.
        home: Where commands keep their files.
    """

    spoken: Spoken
    pairs: Path
    folders: dict[str, Path]
    home: Path

    @property
    def bundle(self) -> Path:
        return self.folders["export"]


@contextmanager
def own_home(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("CACHE", "CONFIG", "DATA", "STATE"):
            patch.setenv(f"VIDCLI_{kind}_DIR", str(folder / kind.lower()))
        yield


def run(*words: str | Path) -> Any:
    result = invoke(*map(str, words), "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spoken, Path, Path]:
    """The world, a home, and a model that captions clips, and reads what tools found.

    It stands for a model that its makers pretrained: no frame and no word of a question about both
    was ever before it.
    """
    folder = tmp_path_factory.mktemp("spoken")
    spoken = write_spoken(folder / "world")
    (folder / "sizes.toml").write_text(SIZES)
    words, captions = (spoken.folder / name for name in ("words.json", "captions.jsonl"))
    runs = [
        (150, "1.5e-3", (words, captions), ("--from-scratch", folder / "sizes.toml")),
        (200, "2e-3", (captions,), ("--from", folder / "run0", *GO_ON)),
        (80, "1e-3", (captions, words), ("--from", folder / "run1", *GO_ON)),
    ]
    with own_home(folder / "home"):
        for number, (steps, rate, data, base) in enumerate(runs):
            files = [word for path in data for word in ("--data", path)]
            run(
                "train", "pretrain", *base, *files, "--out", folder / f"run{number}",
                "--steps", str(steps), "--lr", rate, *SHORT,
            )  # fmt: skip
    return spoken, folder / "home", folder / "run2"


@pytest.fixture(scope="module")
def made(upstream: tuple[Spoken, Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Narrate, pretrain, tune, export: commands as a user gives them."""
    spoken, home, base = upstream
    out = tmp_path_factory.mktemp("pipeline")
    clips = [spoken.folder / f"t{n:02d}.mp4" for n in range(TAUGHT)]
    pairs, silent = out / "pairs.jsonl", spoken.folder
    folders = {name: out / name for name in ("pretrain", "tune", "export")}
    with own_home(home):
        run(
            "data", "narrate", *clips, "--model", base, "--out", pairs, "--window", "2",
            "--frames", "2", "--gap-candidates", "3", "--rephrase", "0", "--max-tokens", "12",
            "--prompt", CAPTION_QUESTION, "--threads", "1",
        )  # fmt: skip
        run(
            "train", "pretrain", "--from", base, "--data", pairs, "--val",
            silent / "val_captions.jsonl", "--out", folders["pretrain"], "--steps", "200",
            "--lr", "5e-3", *SHORT,
        )  # fmt: skip
        run(
            "train", "tune", "--from", folders["pretrain"], "--data", silent / "both.json",
            "--data", silent / "tool.json", "--val", silent / "val_both.json",
            "--out", folders["tune"], "--rank", "16", "--alpha", "32", "--dropout", "0",
            "--steps", "260", "--lr", "4e-3", *SHORT,
        )  # fmt: skip
        run(
            "train", "export", folders["tune"], "--out", folders["export"], "--name", NAME,
            "--quantize", "Q8_0",
        )  # fmt: skip
    return Made(spoken, pairs, folders, home)


@dataclass(frozen=True)
class Said:
    """One answer of a chat, with its trace."""

    answer: dict[str, Any]
    trace: dict[str, Any]

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The prompt of the answer, part by part."""
        steps = [step for step in self.trace["steps"] if step["name"] == "answer"]
        assert len(steps) == 1
        parts: list[dict[str, Any]] = steps[0]["parts"]
        return parts

    @property
    def told(self) -> str:
        return "".join(part.get("text", "") for part in self.shown)


def chat(made: Made, number: int, word: str, mode: str, *more: str) -> Said:
    """Put the question about both to a clip in which a word is said."""
    trace = made.home / "trace.json"
    with own_home(made.home):
        result = invoke(
            "chat", str(made.spoken.video(number, word)), "--model", str(made.bundle), "--mode",
            mode, "--threads", "1", "--max-tokens", "12", "--trace", str(trace), "--json", *more,
            stdin=f"{BOTH}\n",
        )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return Said(json.loads(result.stdout), json.loads(trace.read_text()))


@pytest.fixture(scope="module")
def answers(made: Made) -> "Answers":
    return Answers(made)


class Answers:
    """Every held-out clip with either word, asked once in each way."""

    def __init__(self, made: Made) -> None:
        self.of = cache(lambda mode, *more: self._ask(made, mode, *more))

    def _ask(self, made: Made, mode: str, *more: str) -> dict[tuple[int, str], Said]:
        numbers = range(TAUGHT, TAUGHT + HELD_OUT)
        return {(n, word): chat(made, n, word, mode, *more) for n in numbers for word in SAID}

    def is_above_chance(self, mode: str, *more: str) -> bool:
        """Whether the whole 95 % interval of right answers lies above chance."""
        clips, found = list_clips(), self.of(mode, *more)
        right = sum(
            said.answer["answer"].strip() == f"{word} {clips[n].way}"
            for (n, word), said in found.items()
        )
        return wilson(right, len(found))[0] > CHANCE


def test_one_file_leads_from_clips_to_a_hybrid_answer(tmp_path: Path):
    """A4.6: narrate, pretrain, tune, export and a hybrid chat, from the recipe in the package."""
    out = tmp_path / "out"
    with own_home(tmp_path / "home"):
        document = run("train", "run", "hybrid", "--out", out)
    steps = [step["step"] for step in document["steps"]]
    assert steps == ["synth", "narrate", "pretrain", "tune", "export", "chat"]
    bundle = read_bundle(Path(document["bundle"]))
    assert bundle.adapter is not None
    stages = bundle.history[-2:]
    assert [stage["stage"] for stage in stages] == ["pretrain", "tune"]
    assert stages[0]["data"][0]["sha256"] == digest_file(out / "pairs.jsonl")

    answer = json.loads((out / "said" / "chat.txt").read_text())
    trace = json.loads((out / "trace.json").read_text())
    said = Said(answer, trace)
    assert answer["model"]["sha256"]["mmproj"] == bundle.sha256["mmproj"]
    assert answer["model"]["adapter"] == {"sha256": bundle.sha256["adapter"], "scale": 1.0}
    assert sum(part.get("visual_tokens", 0) for part in said.shown) == 6 * 16
    spoken = (out / "world" / "speech" / "000000.srt").read_text().splitlines()[2]
    assert spoken in said.told


def test_a_hybrid_answer_rests_on_what_was_trained(made: Made):
    """A4.1 of trained parts: the connector and the adapter of the chat are those of the stages."""
    bundle = read_bundle(made.bundle)
    assert [stage["stage"] for stage in bundle.history[-2:]] == ["pretrain", "tune"]
    pretrain, tune = bundle.history[-2:]
    assert pretrain["learns"] == ["connector"]
    assert pretrain["data"][0]["sha256"] == digest_file(made.pairs)
    assert tune["learns"] == ["lora"]
    assert [data["file"] for data in tune["data"][:2]] == ["both.json", "tool.json"]
    trained = read_bundle(made.folders["pretrain"])
    assert bundle.adapter is not None
    assert bundle.mmproj.read_bytes() == trained.mmproj.read_bytes()

    said = chat(made, TAUGHT, SAID[0], "hybrid")
    model = said.trace["model"]
    assert model["sha256"]["mmproj"] == digest_file(trained.mmproj)
    assert model["adapter"]["sha256"] == digest_file(bundle.adapter)
    assert model["adapter"]["scale"] == 1
    assert sum(part.get("visual_tokens", 0) for part in said.shown) == 2
    assert '"section": "speech", "tool": "subtitles beside the video: ' in said.told
    assert said.answer["answer"].strip() == f"{SAID[0]} {list_clips()[TAUGHT].way}"


def test_what_is_said_and_what_is_seen_are_answered_in_hybrid_alone(answers: "Answers"):
    """A4.3: a question about both is answered above chance in hybrid, and in no other way.

    Each clip is there with either word, and the tools tell nothing of how the light changes: who
    sees no frames, or is told no words, gets at most half of the answers right by guessing.
    """
    assert answers.is_above_chance("hybrid")
    assert not answers.is_above_chance("text")
    assert not answers.is_above_chance("embed")
    assert not answers.is_above_chance("hybrid", "--lora-scale", "0"), "the tuned adapter is needed"


def test_each_fact_stands_in_its_own_half_of_the_prompt(answers: "Answers"):
    """A4.3: the word is in the tools' text alone, the direction in the frames alone."""
    for (_, word), said in answers.of("hybrid").items():
        tools, _, question = said.told.partition(BOTH)
        assert question
        assert word in tools
        assert not any(other in tools for other in SAID if other != word)
        assert not any(way in tools for way in WAYS)
    for (number, word), said in answers.of("embed").items():
        assert not any(other in said.told for other in SAID)
        twin = answers.of("embed")[number, SAID[1 - SAID.index(word)]]
        assert said.answer["answer"] == twin.answer["answer"]
    for said in answers.of("text").values():
        assert not any(part.get("visual_tokens") for part in said.shown)
