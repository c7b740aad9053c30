"""Options of `vidcli train pretrain` and `tune`: the data, the steps, the run."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vidcli.cli.options import (
    MODEL,
    OUTPUT,
    FramesOption,
    OfflineOption,
    QuietOption,
)

DATA, STEPS = "Data", "Steps"
PARTS = ("connector", "vision", "text")


class DeviceName(StrEnum):
    """Where to train."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class AdapterKind(StrEnum):
    """What `tune` trains: the connector, LoRA inside the language model, both, or everything."""

    CONNECTIVE = "connective"
    INSERTIVE = "insertive"
    HYBRID = "hybrid"
    WHOLE = "whole"


class ObjectiveName(StrEnum):
    """What pretraining teaches to say."""

    CAPTION = "caption"
    EVENTS = "events"
    DENOISE = "denoise"
    CONTRAST = "contrast"
    DENSE = "dense"


class ArrangementName(StrEnum):
    """What is made of a video's frames."""

    FRAMES = "frames"
    POOL = "pool"
    QFORMER = "qformer"


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What to learn from."""

    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            metavar="FILE",
            help="Captions, conversations, narrations, a mixture…; may be given again. world:SEED"
            " is the drawn world.",
            show_default=False,
            rich_help_panel=DATA,
        ),
    ]
    val: Annotated[
        list[Path] | None,
        typer.Option(
            "--val", metavar="FILE", help="Held-out data of other videos.", rich_help_panel=DATA
        ),
    ] = None
    videos: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="What video names are relative to; each data file's folder otherwise.",
            rich_help_panel=DATA,
        ),
    ] = None
    val_split: Annotated[
        float,
        typer.Option(
            "--val-split",
            min=0.001,
            max=0.9,
            help="Share of the videos to hold out where no --val is given.",
            rich_help_panel=DATA,
        ),
    ] = 0.1
    skip_missing: Annotated[
        bool,
        typer.Option(
            "--skip-missing",
            help="Leave out samples whose video is not there.",
            rich_help_panel=DATA,
        ),
    ] = False
    frames: FramesOption = 0


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How long and how fast to learn."""

    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Updates, in place of --epochs.", rich_help_panel=STEPS),
    ] = None
    epochs: Annotated[
        float,
        typer.Option(min=0.01, help="How often each sample is seen.", rich_help_panel=STEPS),
    ] = 1.0
    batch: Annotated[
        int, typer.Option(min=1, help="Samples run at once.", rich_help_panel=STEPS)
    ] = 1
    accumulate: Annotated[
        int, typer.Option(min=1, help="Batches that make an update.", rich_help_panel=STEPS)
    ] = 16
    lr: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Peak learning rate of all that learns.",
            show_default="by part",
            rich_help_panel=STEPS,
        ),
    ] = None
    warmup: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of the steps in which it rises.", rich_help_panel=STEPS
        ),
    ] = 0.03
    weight_decay: Annotated[
        float, typer.Option("--weight-decay", min=0, help="Of matrices.", rich_help_panel=STEPS)
    ] = 0.01
    seed: Annotated[
        int, typer.Option(min=0, help="Of everything random.", rich_help_panel=STEPS)
    ] = 0
    eval_samples: Annotated[
        int,
        typer.Option(
            "--eval-samples",
            min=2,
            help="Held-out samples that are measured, at most.",
            rich_help_panel=STEPS,
        ),
    ] = 64
    eval_every: Annotated[
        int,
        typer.Option(
            "--eval-every",
            min=0,
            help="Steps between held-out losses; 0 for none.",
            rich_help_panel=STEPS,
        ),
    ] = 0
    checkpoint_every: Annotated[
        int,
        typer.Option(
            "--checkpoint-every",
            min=0,
            help="Steps between checkpoints, besides one a minute.",
            rich_help_panel=STEPS,
        ),
    ] = 0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Where the run goes, and what is said of it."""

    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Of the run; the same command goes on with a run that was stopped.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ]
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Begin a stopped run anew.", rich_help_panel=OUTPUT),
    ] = False
    device: Annotated[DeviceName, typer.Option(help="Where to train.", rich_help_panel=MODEL)] = (
        DeviceName.AUTO
    )
    threads: Annotated[
        int,
        typer.Option(min=0, help="Processor threads; 0 leaves it to torch.", rich_help_panel=MODEL),
    ] = 0
    upstream: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Who pretrained the files of --from, where nothing in them says so.",
            rich_help_panel=MODEL,
        ),
    ] = ""
    offline: OfflineOption = False
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what it will take; do nothing.", rich_help_panel=OUTPUT
        ),
    ] = False
    inspect_batch: Annotated[
        int,
        typer.Option(
            "--inspect-batch",
            min=0,
            metavar="N",
            help="Print the tokens of N samples and which are learnt; do nothing.",
            rich_help_panel=OUTPUT,
        ),
    ] = 0
    json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object.", rich_help_panel=OUTPUT),
    ] = False
    quiet: QuietOption = False


FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="NAME|FOLDER|FILE",
        help="An installed model, a bundle, a GGUF file, or a transformers checkpoint.",
        show_default=False,
        rich_help_panel=MODEL,
    ),
]
MmprojOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Its vision projector, where --from names a GGUF file.",
        rich_help_panel=MODEL,
    ),
]
