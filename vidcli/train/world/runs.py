"""The two stages as runs: from sizes or a bundle to a bundle, with report, plot and checkpoint."""

import io
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from vidcli.core.files import atomic_write
from vidcli.core.protocols import Progress
from vidcli.engine.profiles import choose_profile
from vidcli.errors import SetupError, UsageError
from vidcli.models.bundle import Bundle, place_file, read_bundle
from vidcli.models.digest import digest_model
from vidcli.models.tensors import copy_gguf
from vidcli.train.export import publish
from vidcli.train.loop import METRICS, read_metrics
from vidcli.train.names import to_gguf
from vidcli.train.plot import draw_losses
from vidcli.train.run import PLOT, REPORT, write_json
from vidcli.train.scratch import ScratchConfig
from vidcli.train.world.convert import layout_of, load_small, read_sizes, to_state, write_small
from vidcli.train.world.language import Lessons, TokenHeads, language_loss, train_language
from vidcli.train.world.modules import SmallModel
from vidcli.train.world.settings import LanguageConfig, StageConfig, VisionConfig
from vidcli.train.world.start import start_model
from vidcli.train.world.vision import PatchHeads, Views, dense_loss, to_tensors, train_vision
from vidcli.train.world.words import CLIPS, world_vocabulary
from vidcli.world.synth import WORLD

BASE, HEADS = "base", "patch_heads.npz"
PROFILE = "idefics3"
TIMED = 3  # steps
COMPILERS = ("c++", "g++", "clang++")


@dataclass(frozen=True, slots=True)
class WorldReport:
    """What a run on the synthetic world did; `report.json`.

    Attributes:
        folder: Of the run, which is a bundle now.
        stage: `pretrain` or `tune`.
        objective: `dense` or `answers`.
        trainable: Numbers that learnt.
        steps: Updates.
        resumed_at: Updates done by earlier starts.
        seconds: Of this start.
        held_out: Shares right on held-out clips: of patches by split, or of answers by control and
            kind of question.
        files: Digests of the bundle's files.
    """

    folder: str
    stage: str
    objective: str
    trainable: int
    steps: int
    resumed_at: int
    seconds: float
    held_out: Mapping[str, Any]
    files: dict[str, str] = field(default_factory=dict)


def run_vision(
    sizes: ScratchConfig,
    config: VisionConfig,
    folder: Path,
    *,
    words: int = CLIPS,
    progress: Progress | None = None,
) -> WorldReport:
    """Make a model of these sizes and teach its vision encoder; the folder ends as a bundle.

    Args:
        sizes: Of the model; its vocabulary is that of the world.
        config: Of the stage.
        folder: Of the run; the same call goes on with a run that was stopped.
        words: Clips that the vocabulary is read from.
        progress: Of the steps.

    Raises:
        UsageError: The folder holds another run.
        EngineError: Training has come apart.
    """
    started = time.monotonic()
    prepare(config)
    weights, mmproj = make_base(sizes, folder / BASE, seed=config.seed, words=words)
    model, heads = _fresh(weights, mmproj, seed=config.seed)
    bundle = Bundle(
        folder=folder,
        name=folder.resolve().name,
        weights=weights,
        mmproj=mmproj,
        adapter=None,
        sha256={},
        base={
            "source": f"from scratch: {asdict(model.sizes)}",
            "upstream": "",
            "weights_sha256": digest_model(weights),
            "mmproj_sha256": digest_model(mmproj),
        },
        prompt=_prompt_style(),
        frames=0,
        follows_instructions=False,
    )
    result = train_vision(
        model, heads, config, folder, begins=_describe_sizes(model), progress=progress
    )
    _save_heads(folder / HEADS, heads)
    entry = _history("pretrain", "dense", config, config.steps * config.scenes, result.held_out)
    made = _export(bundle, model, ("vision",), entry)
    learns = (model.vision, heads)
    return _report(
        made, "pretrain", "dense", config, learns, result.resumed_at, started, result.held_out
    )


def run_language(
    source: Path, config: LanguageConfig, folder: Path, *, progress: Progress | None = None
) -> WorldReport:
    """Teach a bundle whose vision encoder sees to answer; the folder ends as a bundle.

    Args:
        source: A bundle of the world's own vocabulary.
        config: Of the stage.
        folder: Of the run; the same call goes on with a run that was stopped.
        progress: Of the steps.

    Raises:
        UsageError: The folder holds another run.
        ModelError: The bundle is damaged or of another kind.
        EngineError: Training has come apart.
    """
    started = time.monotonic()
    prepare(config)
    bundle = read_bundle(source)
    sizes = read_sizes(bundle.weights, bundle.mmproj)
    if not 0 < config.tap <= sizes.layers:
        raise UsageError(f"the model has no layer {config.tap} to tap; it has {sizes.layers}")
    model, heads = _fresh(bundle.weights, bundle.mmproj, seed=config.seed)
    _load_heads(source / HEADS, heads)
    lessons = Lessons(config, sizes, weights=bundle.weights, mmproj=bundle.mmproj)
    with closing(lessons):
        begins = " ".join(bundle.sha256.values())
        result = train_language(model, heads, lessons, folder, begins=begins, progress=progress)
    scores = result.scores.document()
    sees_anew = config.vision != "frozen" or config.seeded
    parts = ("text", "connector", *(("vision",) if sees_anew else ()))
    _save_heads(folder / HEADS, heads)
    entry = _history("tune", "answers", config, config.steps * config.clips, scores)
    own = replace(
        bundle,
        folder=folder,
        name=folder.resolve().name,
        base={"source": f"bundle {bundle.name}", "upstream": "", **_digests_of(bundle)},
        frames=config.frames,
        familiar=None,
    )
    made = _export(own, model, parts, entry)
    learns = (model, TokenHeads(sizes)) if "vision" in parts else (model.blocks, model.embedding)
    return _report(made, "tune", "answers", config, learns, result.resumed_at, started, scores)


def make_base(
    sizes: ScratchConfig, folder: Path, *, seed: int, words: int = CLIPS
) -> tuple[Path, Path]:
    """A model that has learnt nothing, with the world's vocabulary; made once a folder."""
    paths = folder / "base-f32.gguf", folder / "mmproj-base-f32.gguf"
    if all(path.exists() for path in paths):
        found = read_sizes(*paths)
        if replace(sizes, vocabulary=found.vocabulary) == found:
            return paths
    vocabulary = world_vocabulary(clips=words)
    model = start_model(replace(sizes, vocabulary=len(vocabulary.tokens)), seed=seed)
    return write_small(model, vocabulary, folder=folder, name="base")


def prepare(config: StageConfig) -> None:
    """One thread; a compiler where one is needed.

    Raises:
        SetupError: There is none.
    """
    from shutil import which

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if config.compiled and not any(map(which, COMPILERS)):
        raise SetupError(
            "compiled = true needs a C++ compiler, and there is none",
            hint="install one, or set compiled = false: slower, and as good",
        )


def time_vision(sizes: ScratchConfig, config: VisionConfig, *, words: int = CLIPS) -> float:
    """Seconds that a step of the first stage takes here, its batch included; nothing is kept."""
    prepare(config)
    model = SmallModel(replace(sizes, vocabulary=64))
    heads = PatchHeads(sizes)
    for module in (model, heads):
        module.to(getattr(torch, config.dtype))
    source = Views(config, sizes.image_size, model.vision.grid)

    def step(number: int) -> None:
        batch = source(number)
        told = heads(model.vision(torch.from_numpy(batch.frames)))
        dense_loss(told, to_tensors(batch.labels))[0].backward()

    return _time(step)


def time_language(weights: Path, mmproj: Path, config: LanguageConfig) -> float:
    """Seconds that a step of the second stage takes here, its batch included; nothing is kept."""
    prepare(config)
    sizes = read_sizes(weights, mmproj)
    model, heads, patch_heads = SmallModel(sizes), TokenHeads(sizes), PatchHeads(sizes)
    for module in (model, heads, patch_heads):
        module.to(getattr(torch, config.dtype))
    with closing(Lessons(config, sizes, weights=weights, mmproj=mmproj)) as source:

        def step(number: int) -> None:
            language_loss(model, heads, patch_heads, source(number), config)[0].backward()

        return _time(step)


def _time(step: Callable[[int], None]) -> float:
    """Seconds of the quickest of some steps: the first ones also prepare."""
    spent = []
    for number in range(TIMED):
        started = time.perf_counter()
        step(number)
        spent.append(time.perf_counter() - started)
    return min(spent)


def _fresh(weights: Path, mmproj: Path, *, seed: int) -> tuple[SmallModel, PatchHeads]:
    """A pair's model, and heads for its patches that know nothing."""
    sizes = read_sizes(weights, mmproj)
    torch.manual_seed(seed)
    return load_small(weights, mmproj, sizes), PatchHeads(sizes)


def _describe_sizes(model: SmallModel) -> str:
    return repr(model.sizes)


def _prompt_style() -> str:
    profile = choose_profile(PROFILE)
    return f"{profile.name}/{profile.version}"


def _digests_of(bundle: Bundle) -> dict[str, str]:
    return {f"{role}_sha256": digest for role, digest in bundle.sha256.items()}


def _history(
    stage: str, objective: str, config: StageConfig, clips: int, held_out: Mapping[str, Any]
) -> dict[str, Any]:
    """The entry of a stage: what it learnt from is named by what decides every clip of it."""
    data = {
        "file": f"world:{config.seed}",
        "rows": clips,
        "sha256": config.digest(f"world {WORLD}"),
    }
    return {
        "stage": stage,
        "objective": objective,
        "steps": config.steps,
        "seed": config.seed,
        "data": [data],
        "scores": held_out,
    }


def _export(
    bundle: Bundle, model: SmallModel, parts: tuple[str, ...], entry: Mapping[str, Any]
) -> Bundle:
    """Write what learnt into copies of the bundle's files, and make the folder a bundle."""
    folder, name = bundle.folder, bundle.name
    weights, mmproj = folder / f"{name}-f32.gguf", folder / f"mmproj-{name}-f32.gguf"
    layout, state = layout_of(model.sizes), to_state(model)
    learnt = {key: value for key, value in state.items() if layout.part_of(key) in parts}
    tensors = to_gguf(learnt, layout)
    for source, target, is_mmproj in (
        (bundle.weights, weights, False),
        (bundle.mmproj, mmproj, True),
    ):
        mine = {k: v for k, v in tensors.items() if k.startswith(("v.", "mm.")) == is_mmproj}
        if mine:
            copy_gguf(source, target, mine)
        else:
            place_file(source, target)
    history = (*bundle.history, dict(entry))
    return publish(replace(bundle, weights=weights, mmproj=mmproj, sha256={}, history=history))


def _report(
    bundle: Bundle,
    stage: str,
    objective: str,
    config: StageConfig,
    learns: tuple[torch.nn.Module, ...],
    resumed_at: int,
    started: float,
    held_out: Mapping[str, Any],
) -> WorldReport:
    draw_losses(
        read_metrics(bundle.folder / METRICS),
        bundle.folder / PLOT,
        title=f"{stage}: {bundle.name}",
    )
    report = WorldReport(
        folder=str(bundle.folder),
        stage=stage,
        objective=objective,
        trainable=sum(p.numel() for module in learns for p in module.parameters()),
        steps=config.steps,
        resumed_at=resumed_at,
        seconds=round(time.monotonic() - started, 3),
        held_out=held_out,
        files=dict(bundle.sha256),
    )
    write_json(bundle.folder / REPORT, asdict(report))
    return report


def _save_heads(path: Path, heads: PatchHeads) -> None:
    """Keep what the second stage goes on with; no command needs it."""
    buffer = io.BytesIO()
    values = {name: value.float().numpy() for name, value in heads.state_dict().items()}
    np.savez(buffer, **values)
    with atomic_write(path) as file:
        file.write(buffer.getvalue())


def _load_heads(path: Path, heads: PatchHeads) -> None:
    if path.exists():
        with np.load(path) as kept:
            heads.load_state_dict({name: torch.from_numpy(kept[name]) for name in kept.files})
