"""`vidcli train`: teach a model with your own videos, and get files that `ask` loads.

Not here: the training itself (`vidcli.train`), which needs the extra `train`.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.groups import takes_groups
from vidcli.cli.options import (
    MODEL,
    JsonOption,
)
from vidcli.cli.terminal import Notes, write_document, write_path
from vidcli.cli.train_options import (
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
from vidcli.cli.training import (
    carry_out,
    make_base,
    make_config,
    open_base,
    open_data,
    read_parts,
    tuned_parts,
)
from vidcli.core.units import format_size
from vidcli.errors import UsageError

if TYPE_CHECKING:
    pass

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
