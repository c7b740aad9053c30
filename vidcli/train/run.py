"""One stage of training from data to bundle: watch, measure, train, measure again, export."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from vidcli import settings
from vidcli.core.files import atomic_write
from vidcli.core.protocols import Progress
from vidcli.engine.scribe import Scribe
from vidcli.errors import ResourceError
from vidcli.methods.arrange import QFORMER
from vidcli.methods.qformer import load_sidecar
from vidcli.models.bundle import MANIFEST, Bundle, digest_video
from vidcli.train.base import Base, require_pretrained, require_trainable
from vidcli.train.checkpoint import NAME as CHECKPOINT
from vidcli.train.config import RunConfig
from vidcli.train.controls import judge, run_controls, score_items
from vidcli.train.corpus import Corpus, Item, draw, order_items, watch_samples
from vidcli.train.dataset import Dataset
from vidcli.train.estimate import Estimate, estimate_run
from vidcli.train.export import export_run
from vidcli.train.features import FeatureStore, choose_level
from vidcli.train.loop import METRICS, Metrics, read_metrics, run_loop
from vidcli.train.lora import add_lora
from vidcli.train.model import Batch, VideoModel
from vidcli.train.objectives import check_objective
from vidcli.train.pair import load_pair
from vidcli.train.plot import draw_losses

FEATURES = "features"
CONFIG, BEFORE, REPORT, PLOT = "config.json", "before.json", "report.json", "loss.png"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did; `report.json`.

    Attributes:
        folder: Of the run, which is a bundle now.
        stage: `pretrain` or `tune`.
        learns: What learnt.
        trainable: Numbers that learnt.
        samples: Learnt from, and held out.
        missing: Samples left out because their video is not there.
        steps: Updates.
        resumed_at: Updates done by earlier starts.
        seconds: Of this start's updates.
        before: Controls on held-out samples before training.
        after: The same after it.
        verdict: What they say.
        files: Digests of the bundle's files.
    """

    folder: str
    stage: str
    learns: tuple[str, ...]
    trainable: int
    samples: dict[str, int]
    missing: int
    steps: int
    resumed_at: int
    seconds: float
    before: dict[str, Any]
    after: dict[str, Any]
    verdict: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Stage:
    """A stage that is ready to run.

    Attributes:
        base: What it starts from.
        dataset: What it learns from.
        config: Its settings.
        scribe: Writes its prompts.
        model: With what learns unfrozen.
        store: Of features.
    """

    base: Base
    dataset: Dataset
    config: RunConfig
    scribe: Scribe
    model: VideoModel
    store: FeatureStore

    def estimate(self) -> Estimate:
        """What running it takes."""
        return estimate_run(self.model, self.scribe, self.dataset, self.config, self.store.level)


def open_stage(
    base: Base, dataset: Dataset, config: RunConfig, stack: ExitStack, *, device: torch.device
) -> Stage:
    """Load a model for training.

    Args:
        base: What to start from.
        dataset: What to learn from.
        config: Settings.
        stack: Closes what is opened.
        device: Where to train.

    Raises:
        ModelError: The base cannot be trained, or is not pretrained and is to be tuned.
    """
    require_trainable(base)
    check_objective([*dataset.train, *dataset.held_out], config.objective)
    if config.stage == "tune":
        require_pretrained(base)
    scribe = stack.enter_context(base.open_scribe())
    model = load_pair(base.files.weights, base.files.mmproj)
    _arrange(model, base, config)
    if config.reset:
        # Not the weights that training of the base may have begun with.
        model.reset_connector(f"{config.seed} {base.files.mmproj_sha256}")
    if config.lora is not None:
        add_lora(model, config.lora, seed=config.seed)
        for part in config.parts:
            for _, parameter in model.named(part):
                parameter.requires_grad_(True)
    else:
        model.unfreeze(config.parts)
    model.hf.to(device)
    store = FeatureStore(
        settings.cache_dir() / FEATURES,
        level=choose_level(config.parts),
        encoder=base.files.mmproj_sha256,
    )
    return Stage(base, dataset, config, scribe, model, store)


def _arrange(model: VideoModel, base: Base, config: RunConfig) -> None:
    """Put the arrangement in place; a Q-Former goes on from the base's own, where it has one."""
    model.arrange_as(config.arrangement, seed=config.seed)
    if config.arrangement == QFORMER and base.arrangement == QFORMER and base.sidecar is not None:
        weights, _ = load_sidecar(base.sidecar)
        state = {name: torch.from_numpy(values) for name, values in weights.items()}
        model.hf.video_qformer.load_state_dict(state)


def run_stage(
    stage: Stage, folder: Path, *, tell: Tell, progress: Progress | None = None
) -> RunReport:
    """Run a stage, or go on with it where an earlier start was stopped.

    Args:
        stage: From `open_stage`.
        folder: Of the run; made if missing. It ends as a bundle.
        tell: Takes sentences for the user.
        progress: Of encoding, training and evaluating.

    Raises:
        UsageError: The folder holds a run with other settings.
        MediaError: A video cannot be used.
        EngineError: The loss is no longer a number.
    """
    config, dataset, model = stage.config, stage.dataset, stage.model
    digest = config.digest(
        dataset.digest, stage.base.files.weights_sha256, stage.base.files.mmproj_sha256
    )
    _begin(folder, stage, digest)
    train = _watch(stage, dataset.train, progress)
    held_out = _watch(stage, dataset.held_out[: config.eval_samples], progress)
    torch.manual_seed(config.seed)
    before = _measure_before(stage, held_out, folder, digest, progress)
    result = run_loop(
        model,
        batches_of(train, config),
        config.loop,
        folder=folder,
        digest=digest,
        evaluate=lambda: {
            "val_loss": _mean(score_items(model, held_out, held_out.items, "seen")[0])
        },
        progress=progress,
    )
    if result.resumed_at:
        tell(f"went on from step {result.resumed_at} of {config.steps}")
    after = run_controls(model, held_out, held_out.items, progress=progress)
    draw_losses(
        read_metrics(folder / METRICS), folder / PLOT, title=f"{config.stage}: {folder.name}"
    )
    bundle = _export(stage, folder, after, train)
    report = RunReport(
        folder=str(folder),
        stage=config.stage,
        learns=config.learns,
        trainable=sum(p.numel() for p in model.trainable().values()),
        samples={"train": len(train), "held_out": len(held_out)},
        missing=len(dataset.missing),
        steps=result.step,
        resumed_at=result.resumed_at,
        seconds=round(result.seconds, 3),
        before=before,
        after=after,
        verdict=tuple(judge(before, after)),
        files=dict(bundle.sha256),
    )
    write_json(folder / REPORT, asdict(report))
    return report


def run_contrastive(
    stage: Stage, folder: Path, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Train heads for retrieval over a frozen model; the folder ends as a bundle.

    Args:
        stage: From `open_stage`, nothing of the model unfrozen.
        folder: Of the run; made if missing.
        progress: Of encoding and training.

    Returns:
        What it did, ready for JSON: retrieval of held-out texts before and after.
    """
    from vidcli.train.contrast import export_heads, run_contrast

    config, files = stage.config, stage.base.files
    digest = config.digest(stage.dataset.digest, files.weights_sha256, files.mmproj_sha256)
    _begin(folder, stage, digest)
    train = _watch(stage, stage.dataset.train, progress)
    held_out = _watch(stage, stage.dataset.held_out[: config.eval_samples], progress)
    heads, before, after = run_contrast(
        stage.model, train, held_out, config, folder=folder, digest=digest, progress=progress
    )
    entry = _describe(stage, train, {"retrieval": after})
    profile = stage.scribe.profile
    bundle = Bundle(
        folder=folder,
        name=folder.resolve().name,
        weights=files.weights,
        mmproj=files.mmproj,
        adapter=None,
        sha256={},
        base=stage.base.origin,
        prompt=f"{profile.name}/{profile.version}",
        frames=config.frames,
        history=(*stage.base.history, entry),
        follows_instructions=stage.base.follows_instructions,
    )
    made = export_heads(heads, bundle, (files.weights_sha256, files.mmproj_sha256))
    report = {
        "folder": str(folder),
        "samples": {"train": len(train), "held_out": len(held_out)},
        "steps": config.steps,
        "before": before,
        "after": after,
        "files": dict(made.sha256),
    }
    write_json(folder / REPORT, report)
    return report


def batches_of(corpus: Corpus, config: RunConfig) -> Callable[[int], Sequence[Batch]]:
    """The micro-batches of each step: every item once an epoch, in an order of the seed."""
    a_step = config.batch * config.accumulate

    def batches(step: int) -> list[Batch]:
        chosen = order_items(len(corpus), seed=config.seed, start=step * a_step, count=a_step)
        items = [
            draw(corpus.items[n], seed=config.seed, step=step, crop=config.crop) for n in chosen
        ]
        return [
            corpus.batch(items[i : i + config.batch]) for i in range(0, len(items), config.batch)
        ]

    return batches


def clear_run(folder: Path) -> None:
    """Forget an earlier run of this folder, so that it begins anew."""
    for name in (CHECKPOINT, METRICS, REPORT, MANIFEST, BEFORE):
        (folder / name).unlink(missing_ok=True)


def _begin(folder: Path, stage: Stage, digest: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)
        document = {
            "digest": digest,
            "config": asdict(stage.config),
            "data": list(stage.dataset.files),
            "base": stage.base.origin,
        }
        if not (folder / CHECKPOINT).exists():
            write_json(folder / CONFIG, document)
            Metrics(folder / METRICS)
    except OSError as error:
        raise ResourceError(f"{folder} cannot be written: {error.strerror or error}") from error


def _watch(stage: Stage, samples: Sequence[Any], progress: Progress | None) -> Corpus:
    items: list[Item] = watch_samples(
        samples,
        stage.scribe,
        stage.model,
        stage.store,
        frames=stage.config.frames,
        objective=stage.config.objective,
        progress=progress,
    )
    return Corpus(items, stage.scribe, stage.model, level=stage.store.level, store=stage.store)


def _measure_before(
    stage: Stage, held_out: Corpus, folder: Path, digest: str, progress: Progress | None
) -> dict[str, Any]:
    """Controls before the first step; read back where an earlier start measured them."""
    path = folder / BEFORE
    if path.exists():
        kept = json.loads(path.read_text("utf-8"))
        if kept["digest"] == digest:
            found: dict[str, Any] = kept["controls"]
            return found
    controls = run_controls(stage.model, held_out, held_out.items, progress=progress)
    write_json(path, {"digest": digest, "controls": controls})
    return controls


def _export(stage: Stage, folder: Path, after: dict[str, Any], train: Corpus) -> Bundle:
    config = stage.config
    entry = _describe(stage, train, {"scores": after["scores"]})
    profile = stage.scribe.profile
    return export_run(
        stage.model,
        stage.base,
        folder=folder,
        name=folder.resolve().name,
        parts=config.parts,
        lora=config.lora,
        prompt=f"{profile.name}/{profile.version}",
        frames=config.frames,
        stage=entry,
        arrangement=config.arrangement,
    )


def _describe(stage: Stage, train: Corpus, results: dict[str, Any]) -> dict[str, Any]:
    """The entry of a stage in the history of its bundle."""
    config, dataset = stage.config, stage.dataset
    return {
        "stage": config.stage,
        "objective": config.objective,
        "arrangement": config.arrangement,
        "learns": list(config.learns),
        "frozen": list(config.frozen),
        "crop": config.crop,
        "reset_connector": config.reset,
        "lora": asdict(config.lora) if config.lora else None,
        "steps": config.steps,
        "seed": config.seed,
        "samples": len(dataset.train),
        "data": list(dataset.files),
        "video_ids": dataset.video_ids,
        "video_contents": sorted({digest_video(item.fingerprint) for item in train.items}),
        **results,
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON document whole."""
    with atomic_write(path) as file:
        file.write(json.dumps(value, indent=2, default=str).encode() + b"\n")
