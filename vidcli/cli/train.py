"""`vidcli train`: teach a model with your own videos, and get files that `ask` loads.

Not here: the training itself (`vidcli.train`), which needs the extra `train`.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.groups import takes_groups
from vidcli.cli.options import (
    MODEL,
    JsonOption,
)
from vidcli.cli.terminal import Notes, write_document, write_out, write_path
from vidcli.cli.train_options import (
    PARTS,
    STEPS,
    AdapterKind,
    ArrangementName,
    DataOptions,
    FromOption,
    MmprojOption,
    ObjectiveName,
    RunOptions,
    StepOptions,
)
from vidcli.cli.train_run import run
from vidcli.cli.train_world import is_world, pretrain_on_world, tune_on_world
from vidcli.core.units import format_size
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.train.base import Base
    from vidcli.train.config import RunConfig
    from vidcli.train.dataset import Dataset
    from vidcli.train.run import RunReport, Stage

CROP = 0.5  # of the steps, where events are timed


@takes_groups
def pretrain(
    data: DataOptions,
    run: RunOptions,
    steps: StepOptions,
    base: FromOption = None,
    mmproj: MmprojOption = None,
    from_scratch: Annotated[
        Path | None,
        typer.Option(
            "--from-scratch",
            metavar="FILE",
            help="Make a small SmolVLM of the sizes in this JSON or TOML file; all of it learns.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    unfreeze: Annotated[
        str,
        typer.Option(
            metavar="PART,…",
            help="What learns: connector, vision, text, or all.",
            show_default="connector; all with --from-scratch",
            rich_help_panel=STEPS,
        ),
    ] = "",
    objective: Annotated[
        ObjectiveName,
        typer.Option(
            help="What is to be said: captions, timed events, or at half of the steps what was"
            " masked of them; contrast trains heads that rank videos against texts; dense: what"
            " covers each patch, of the drawn world.",
            rich_help_panel=STEPS,
        ),
    ] = ObjectiveName.CAPTION,
    arrange: Annotated[
        ArrangementName | None,
        typer.Option(
            help="What is made of a video's frames: each by itself, a token an instant and a place"
            " (pool), or 32 tokens by a Q-Former that learns.",
            show_default="frames, or the bundle's own",
            rich_help_panel=STEPS,
        ),
    ] = None,
    crop: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of the steps that show a random part of a video, its events in the part's"
            " own time; for timed events.",
            show_default=f"{CROP:g} for events and denoise",
            rich_help_panel=STEPS,
        ),
    ] = None,
    keep_connector: Annotated[
        bool,
        typer.Option(
            "--keep-connector",
            help="Go on with the connector as it is, instead of from random weights.",
            rich_help_panel=STEPS,
        ),
    ] = False,
) -> None:
    """Teach the connector what frames look like, from videos and their captions: the first stage.

    The connector begins from random weights, everything else stays as it is. The run's folder ends
    as a bundle that 'ask --model' loads and 'train tune' starts from.
    """
    from vidcli.train.extra import require_extra

    require_extra()
    if objective is ObjectiveName.DENSE and base is None:
        pretrain_on_world(data, run, steps, from_scratch)
        return
    if is_world(data) or objective is ObjectiveName.DENSE:
        raise UsageError(
            "the drawn world teaches new models what covers each patch",
            hint="--from-scratch FILE --objective dense --data world:1",
        )
    if (base is None) == (from_scratch is None):
        raise UsageError(
            "name what to start from",
            hint="--from an installed model, a bundle or a checkpoint; or --from-scratch FILE",
        )
    if objective is ObjectiveName.CONTRAST and (from_scratch or unfreeze or arrange):
        raise UsageError(
            "--objective contrast trains heads over a model that stays as it is",
            hint="leave out --from-scratch, --unfreeze and --arrange",
        )
    is_timed = objective in (ObjectiveName.EVENTS, ObjectiveName.DENOISE)
    if crop is not None and not is_timed:
        raise UsageError(
            "--crop shows a part of a video, of which captions of the whole need not be true",
            hint="--objective events and denoise have timed events that can be cut",
        )
    parts = read_parts(unfreeze or ("all" if from_scratch else "connector"))
    no_part = arrange is ArrangementName.QFORMER and not unfreeze and not from_scratch
    if no_part or objective is ObjectiveName.CONTRAST:
        parts = ()
    with ExitStack() as stack:
        dataset = open_data(data, steps)
        found = (
            make_base(from_scratch, dataset, run, steps, stack)
            if from_scratch is not None
            else open_base(str(base), mmproj, run, stack)
        )
        config = make_config(
            "pretrain",
            dataset,
            data,
            steps,
            frames=data.frames or found.frames or 0,
            parts=parts,
            reset="connector" in parts and not keep_connector,
            scratch=from_scratch is not None,
            objective=objective,
            arrangement=(arrange or ArrangementName(found.arrangement)).value,
            crop=(CROP if crop is None else crop) if is_timed else 0.0,
        )
        carry_out(found, dataset, config, run, stack)


@takes_groups
def tune(
    data: DataOptions,
    run: RunOptions,
    steps: StepOptions,
    base: FromOption = None,
    mmproj: MmprojOption = None,
    adapter: Annotated[
        AdapterKind,
        typer.Option(
            help="What learns: the connector, LoRA in the language model, or both; whole: all of a"
            " small model, on the drawn world.",
            rich_help_panel=STEPS,
        ),
    ] = AdapterKind.INSERTIVE,
    rank: Annotated[
        int, typer.Option(min=1, max=1024, help="Of the LoRA matrices.", rich_help_panel=STEPS)
    ] = 8,
    alpha: Annotated[
        float,
        typer.Option(min=0.01, help="The LoRA counts alpha / rank.", rich_help_panel=STEPS),
    ] = 16.0,
    dropout: Annotated[
        float,
        typer.Option(min=0, max=0.9, help="Of what enters the LoRA.", rich_help_panel=STEPS),
    ] = 0.05,
) -> None:
    """Teach a pretrained model to follow instructions about videos: the second stage.

    Only what the assistant says is learnt, in every turn. Starts from a bundle of 'train pretrain'
    or a model that its makers pretrained.
    """
    from vidcli.train.extra import require_extra

    require_extra()
    from vidcli.train.lora import LoraSettings

    if is_world(data) != (adapter is AdapterKind.WHOLE):
        raise UsageError(
            "the drawn world, and it alone, teaches a whole model",
            hint="--data world:1 --adapter whole",
        )
    if adapter is AdapterKind.WHOLE:
        tune_on_world(data, run, steps, base)
        return
    if base is None:
        raise UsageError(
            "name what to start from", hint="--from a bundle of 'train pretrain', or a model"
        )
    with ExitStack() as stack:
        found = open_base(base, mmproj, run, stack)
        dataset = open_data(data, steps)
        has_lora = adapter is not AdapterKind.CONNECTIVE
        config = make_config(
            "tune",
            dataset,
            data,
            steps,
            frames=data.frames or found.frames or 0,
            parts=tuned_parts(adapter, found.arrangement),
            arrangement=found.arrangement,
            lora=LoraSettings(rank, alpha, dropout) if has_lora else None,
        )
        carry_out(found, dataset, config, run, stack)


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


def export(
    source: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a finished run, or a bundle.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", help="Of the new bundle.", show_default=False),
    ],
    name: Annotated[str, typer.Option(help="Of the model.", show_default="the folder's")] = "",
    quantize: Annotated[
        str, typer.Option(metavar="TYPE", help="Of the weights, as Q8_0 or Q4_K_M.")
    ] = "",
    mmproj_type: Annotated[
        str,
        typer.Option(
            "--mmproj-type", metavar="TYPE", help="Of the projector: F32, F16, BF16, Q8_0."
        ),
    ] = "",
    merge: Annotated[
        bool, typer.Option("--merge", help="Add the adapter into the weights.")
    ] = False,
    adapter: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="A LoRA that peft saved, in place of the run's own adapter."
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Of quantising.")] = 1,
    json: JsonOption = False,
) -> None:
    """Write a trained model as a bundle of GGUF files: smaller, merged, or under another name.

    What llama.cpp cannot carry is refused, with the names of the keys.
    """
    from vidcli.train.extra import require_extra

    require_extra()
    from vidcli.output.training import bundle_document
    from vidcli.train.publish import ExportOptions, export_bundle

    options = ExportOptions(
        out=out,
        name=name,
        quant=quantize,
        mmproj_type=mmproj_type,
        merge=merge,
        peft=adapter,
        threads=threads,
    )
    bundle = export_bundle(source, options)
    if json:
        write_document(bundle_document(bundle))
        return
    for file in bundle.files.values():
        Notes().tell(f"{file.name} {format_size(file.stat().st_size)}")
    write_path(str(bundle.folder))


COMMANDS: dict[str, Callable[..., None]] = {
    "pretrain": pretrain,
    "tune": tune,
    "export": export,
    "run": run,
}
