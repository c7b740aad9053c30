"""What `train pretrain` and `train tune` share: data, bases, settings, and the account of a run.

Not here: the training itself (`vidcli.train`), which needs the extra `train`.
"""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from vidcli.cli.terminal import Notes, write_document, write_out
from vidcli.cli.train_options import (
    PARTS,
    AdapterKind,
    DataOptions,
    ObjectiveName,
    RunOptions,
    StepOptions,
)
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.train.base import Base
    from vidcli.train.config import RunConfig
    from vidcli.train.dataset import Dataset
    from vidcli.train.run import RunReport, Stage


def tuned_parts(adapter: AdapterKind, arrangement: str) -> tuple[str, ...]:
    """What of the connection between vision and language an adapter trains."""
    if adapter is AdapterKind.INSERTIVE:
        return ()
    return ("qformer",) if arrangement == "qformer" else ("connector",)


def read_parts(text: str) -> tuple[str, ...]:
    """`connector,vision,text` or `all` as parts.

    Raises:
        UsageError: There is no such part.
    """
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if names == ["all"]:
        return PARTS
    unknown = [name for name in names if name not in PARTS]
    if unknown or not names:
        raise UsageError(
            f"--unfreeze knows no part {(unknown or ['(none)'])[0]}",
            hint=f"{', '.join(PARTS)}, or all",
        )
    return tuple(part for part in PARTS if part in names)


def open_data(data: DataOptions, steps: StepOptions) -> "Dataset":
    """The samples of the command line."""
    from vidcli.train.dataset import open_dataset

    dataset = open_dataset(
        data.data,
        val=data.val or (),
        videos=data.videos,
        val_split=data.val_split,
        skip_missing=data.skip_missing,
        seed=steps.seed,
    )
    if dataset.missing:
        Notes().warn(f"{len(dataset.missing)} samples left out: {dataset.missing[0]}")
    return dataset


def base_folder(run: RunOptions, stack: ExitStack) -> Path:
    """Where a base that has to be written first goes: the run's folder, if there will be one."""
    if run.dry_run or run.inspect_batch:
        return Path(stack.enter_context(TemporaryDirectory()))
    return run.out / "base"


def open_base(named: str, mmproj: Path | None, run: RunOptions, stack: ExitStack) -> "Base":
    """What to start from: a checkpoint, a bundle, or a model as `ask --model` takes it.

    Raises:
        ModelError: There is no such model.
    """
    from vidcli.cli.build import find_files
    from vidcli.cli.groups import Loading
    from vidcli.models.bundle import is_bundle
    from vidcli.models.packaged import find_here
    from vidcli.train import base as bases
    from vidcli.train.checkpoint_import import is_checkpoint

    folder = Path(named).expanduser()
    if is_checkpoint(folder):
        target = base_folder(run, stack)
        return bases.open_checkpoint_folder(folder, target, upstream=run.upstream)
    installed = find_here(named)
    if installed is not None and is_bundle(installed.weights.parent):
        folder = installed.weights.parent
    if is_bundle(folder):
        return bases.open_bundle(folder)
    loading = Loading(model=named, mmproj=mmproj, offline=run.offline)
    files = find_files(loading, notes=Notes(quiet=run.quiet))
    source = installed.source if installed else "files"
    is_hub = source.startswith("hf:")
    return bases.Base(files, source=source, upstream=run.upstream or (source if is_hub else ""))


def make_base(
    path: Path, dataset: "Dataset", run: RunOptions, steps: StepOptions, stack: ExitStack
) -> "Base":
    """A model that has learnt nothing; the same data, sizes and seed make the same one."""
    from vidcli.train import base as bases
    from vidcli.train.scratch import make_scratch, read_scratch
    from vidcli.train.vocabulary_texts import texts_of

    config = read_scratch(path)
    folder = base_folder(run, stack)
    weights, mmproj = make_scratch(
        config, texts_of(dataset.train), folder=folder, name=run.out.resolve().name, seed=steps.seed
    )
    files = bases.make_files(weights, mmproj, run.out.resolve().name)
    return bases.Base(files, source=f"from scratch: {asdict(config)}")


def make_config(
    stage: str,
    dataset: "Dataset",
    data: DataOptions,
    steps: StepOptions,
    *,
    frames: int,
    parts: tuple[str, ...],
    reset: bool = False,
    scratch: bool = False,
    lora: "object | None" = None,
    objective: ObjectiveName = ObjectiveName.CAPTION,
    arrangement: str = "frames",
    crop: float = 0.0,
) -> "RunConfig":
    """The settings of a run from its options."""
    from vidcli.train.config import RunConfig, default_rates
    from vidcli.train.lora import LoraSettings
    from vidcli.train.objectives import Objective

    assert lora is None or isinstance(lora, LoraSettings)
    if arrangement == "qformer" and stage == "pretrain":
        parts = (*parts, "qformer")
    rates = default_rates(parts=parts, reset=reset, lora=lora is not None, scratch=scratch)
    if steps.lr is not None:
        rates = dict.fromkeys(rates, steps.lr)
    a_step = steps.batch * steps.accumulate
    n_steps = steps.steps or max(1, round(steps.epochs * len(dataset.train) / a_step))
    return RunConfig(
        stage=stage,
        parts=parts,
        reset=reset,
        lora=lora,
        frames=frames,
        steps=n_steps,
        batch=steps.batch,
        accumulate=steps.accumulate,
        lr=rates,
        objective=Objective(objective.value),
        arrangement=arrangement,
        crop=crop,
        warmup=steps.warmup,
        weight_decay=steps.weight_decay,
        seed=steps.seed,
        eval_samples=steps.eval_samples,
        eval_steps=steps.eval_every,
        checkpoint_steps=steps.checkpoint_every,
    )


def carry_out(
    base: "Base", dataset: "Dataset", config: "RunConfig", run: RunOptions, stack: ExitStack
) -> None:
    """Run a stage, or only say what it would do."""
    from vidcli.output.progress import open_progress
    from vidcli.train.device import choose_device
    from vidcli.train.run import clear_run, open_stage, run_stage

    notes = Notes(quiet=run.quiet)
    device = choose_device(run.device.value, threads=run.threads)
    stage = open_stage(base, dataset, config, stack, device=device)
    if config.objective.value == ObjectiveName.CONTRAST.value and not run.inspect_batch:
        carry_out_contrast(stage, run)
        return
    if run.inspect_batch:
        write_out(inspect(stage, run.inspect_batch))
        return
    estimate = stage.estimate()
    if run.dry_run:
        write_out("".join(f"{line}\n" for line in estimate.sentences()))
        return
    for line in estimate.sentences():
        notes.tell(line)
    if run.restart:
        clear_run(run.out)
    try:
        with open_progress(quiet=run.quiet) as progress:
            report = run_stage(stage, run.out, tell=notes.tell, progress=progress)
    except KeyboardInterrupt:
        notes.tell("the same command goes on from the last checkpoint, at most a minute back")
        raise
    tell_report(report, json=run.json)


def carry_out_contrast(stage: "Stage", run: RunOptions) -> None:
    """Train heads for retrieval, or only say what that would take."""
    from vidcli.output.progress import open_progress
    from vidcli.train.run import clear_run, run_contrastive

    n_train, n_steps = len(stage.dataset.train), stage.config.steps
    said = f"{n_train} samples, {n_steps} steps; every video is encoded once, the heads are small"
    if run.dry_run:
        write_out(f"{said}\n")
        return
    Notes(quiet=run.quiet).tell(said)
    if run.restart:
        clear_run(run.out)
    with open_progress(quiet=run.quiet) as progress:
        report = run_contrastive(stage, run.out, progress=progress)
    if run.json:
        from vidcli.output.training import contrast_document

        write_document(contrast_document(report))
        return
    before, after = report["before"], report["after"]
    write_out(
        f"held-out texts found by their video at the first place: {after['recall_at_1']:.0%}"
        f" (before {before['recall_at_1']:.0%}, chance {after['chance']:.0%},"
        f" {after['videos']} videos, {after['texts']} texts)\n{report['folder']}\n"
    )


def inspect(stage: "Stage", n: int) -> str:
    """Tokens of the first samples, those that are learnt in brackets."""
    from vidcli.train.inspect_batch import describe_samples

    return describe_samples(stage, n)


def tell_report(report: "RunReport", *, json: bool) -> None:
    """Print what a run did."""
    if json:
        from vidcli.output.training import train_document

        write_document(train_document(asdict(report)))
        return
    seen, blind = (report.after["scores"][c] for c in ("seen", "blind"))
    lines = [
        *report.verdict,
        f"held-out loss {seen['loss']:.3f} (blind {blind['loss']:.3f}), replies right word for word"
        f" {seen['accuracy']:.0%} (blind {blind['accuracy']:.0%}), {seen['replies']} replies",
        report.folder,
    ]
    write_out("".join(f"{line}\n" for line in lines))
