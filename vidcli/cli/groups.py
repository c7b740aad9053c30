"""Groups of options that several commands take, each a frozen dataclass.

A command names a group once, as one parameter; `takes_groups` expands it and fills it in.
"""

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from vidcli import settings
from vidcli.cli.options import (
    LOOKING,
    MODEL,
    OUTPUT,
    WRITING,
    AtOption,
    FpsOption,
    FramesOption,
    FromOption,
    JsonOption,
    MaxGapOption,
    MethodOption,
    OfflineOption,
    OneJsonOption,
    PromptStyle,
    PromptStyleOption,
    QuietOption,
    SelectOption,
    ToOption,
    VerboseOption,
    kept,
)
from vidcli.cli.terminal import Notes
from vidcli.core.model import Detail, LoadOptions
from vidcli.core.sampling import Sampling
from vidcli.errors import UsageError


class Device(StrEnum):
    """Where the vision encoder runs."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True, slots=True)
class Looking:
    """Which part of a video to look at, and how closely."""

    frames: FramesOption = 0
    fps: FpsOption = None
    select: SelectOption = None
    start: FromOption = None
    end: ToOption = None
    max_gap: MaxGapOption = None


@dataclass(frozen=True, slots=True)
class Watching(Looking):
    """Which part of a video to look at, how closely, and by which method."""

    method: MethodOption = "auto"
    at: AtOption = None
    prompt_style: PromptStyleOption = PromptStyle.OWN


@dataclass(frozen=True, slots=True)
class Loading:
    """Which model to load, and how."""

    model: Annotated[str | None, kept("model", "--model", panel=MODEL)] = None
    mmproj: Annotated[Path | None, kept("mmproj", "--mmproj", panel=MODEL)] = None
    detail: Annotated[Detail, kept("detail", "--detail", panel=LOOKING)] = Detail.NORMAL
    n_ctx: Annotated[int, kept("n_ctx", "--n-ctx", panel=MODEL)] = settings.N_CTX
    gpu_layers: Annotated[int, kept("gpu_layers", "--gpu-layers", panel=MODEL)] = -1
    main_gpu: Annotated[int, kept("main_gpu", "--main-gpu", panel=MODEL)] = 0
    mmproj_device: Annotated[Device, kept("mmproj_device", "--mmproj-device", panel=MODEL)] = (
        Device.AUTO
    )
    threads: Annotated[int, kept("threads", "--threads", panel=MODEL)] = 0
    lora: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A LoRA adapter for the model, a GGUF file; a bundle's own otherwise.",
            rich_help_panel=MODEL,
        ),
    ] = None
    lora_scale: Annotated[
        float,
        typer.Option(
            "--lora-scale",
            min=-10,
            max=10,
            help="How strongly the adapter counts; 0 is the model without it.",
            rich_help_panel=MODEL,
        ),
    ] = 1.0
    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Neither read nor write caches.", rich_help_panel=MODEL),
    ] = False
    offline: OfflineOption = False

    def load_options(self) -> LoadOptions:
        """How the engine is to load the model."""
        return LoadOptions(
            n_ctx=self.n_ctx,
            gpu_layers=self.gpu_layers,
            main_gpu=self.main_gpu,
            mmproj_gpu=self.mmproj_device is not Device.CPU,
            threads=self.threads,
            detail=self.detail,
        )


@dataclass(frozen=True, slots=True)
class Planning(Loading):
    """Which model to load, and which beside it for what needs no pictures."""

    planner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Another model, which need not see, for the calls that hold text alone.",
            rich_help_panel=MODEL,
        ),
    ] = None

    @property
    def of_planner(self) -> "Loading | None":
        """How that one is loaded; None where there is none."""
        if self.planner is None:
            return None
        return Loading(
            model=self.planner,
            n_ctx=self.n_ctx,
            gpu_layers=self.gpu_layers,
            main_gpu=self.main_gpu,
            threads=self.threads,
            no_cache=self.no_cache,
            offline=self.offline,
        )


@dataclass(frozen=True, slots=True)
class Writing:
    """How the answer is written."""

    max_tokens: Annotated[int, kept("max_tokens", "--max-tokens", panel=WRITING)] = (
        settings.MAX_TOKENS
    )
    temperature: Annotated[float, kept("temperature", "--temperature", panel=WRITING)] = 0.0
    top_p: Annotated[float, kept("top_p", "--top-p", panel=WRITING)] = 1.0
    min_p: Annotated[float, kept("min_p", "--min-p", panel=WRITING)] = 0.0
    seed: Annotated[int, kept("seed", "--seed", panel=WRITING)] = 0
    repeat_penalty: Annotated[float, kept("repeat_penalty", "--repeat-penalty", panel=WRITING)] = (
        1.0
    )
    frequency_penalty: Annotated[
        float, kept("frequency_penalty", "--frequency-penalty", panel=WRITING)
    ] = 0.0
    presence_penalty: Annotated[
        float, kept("presence_penalty", "--presence-penalty", panel=WRITING)
    ] = 0.0

    def sampling(self, *, grammar: str = "") -> Sampling:
        """How the engine is to choose tokens.

        Raises:
            UsageError: A value is no number at all (NaN).
        """
        try:
            return Sampling(**dataclasses.asdict(self), grammar=grammar)
        except ValueError as error:
            raise UsageError(str(error)) from error


@dataclass(frozen=True, slots=True)
class WindowLooking:
    """Which part of a video to look at, and how closely at each window of it."""

    frames: Annotated[
        int,
        typer.Option(
            "--frames",
            min=0,
            metavar="N",
            help="How many frames of each window to look at, at most.",
            show_default="4",
            rich_help_panel=LOOKING,
        ),
    ] = 0
    fps: FpsOption = None
    start: FromOption = None
    end: ToOption = None

    @property
    def looking(self) -> Looking:
        """The same, as every task has it."""
        return Looking(frames=self.frames, fps=self.fps, start=self.start, end=self.end)


@dataclass(frozen=True, slots=True)
class Telling:
    """What is said, and in which form."""

    json: JsonOption = False
    verbose: VerboseOption = False
    quiet: QuietOption = False

    @property
    def notes(self) -> Notes:
        """Where to say what is not the answer."""
        return Notes(quiet=self.quiet, verbose=self.verbose)


@dataclass(frozen=True, slots=True)
class TellingOnce(Telling):
    """The same where all videos have one answer."""

    json: OneJsonOption = False


@dataclass(frozen=True, slots=True)
class Rehearsing:
    """Looking at the work instead of doing it, while it is done, or afterwards."""

    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Say which frames, how many tokens and how long; answer nothing.",
            rich_help_panel=OUTPUT,
        ),
    ] = False
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write everything the model is shown to a JSON file.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    report: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.html|DIR/",
            help="Write a page with storyboard, timeline and evidence; of many videos, a page each "
            "and an index.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    report_text: Annotated[
        bool,
        typer.Option(
            "--report-text",
            help="Read the text on the screen for the report too; needs the extra 'ocr'.",
            rich_help_panel=OUTPUT,
        ),
    ] = False


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take groups: every parameter that is a dataclass becomes its fields.

    Args:
        command: Its parameters without a default come first, as always.
    """
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if dataclasses.is_dataclass(parameter.annotation)
    }
    fields = {name: dataclasses.fields(group) for name, group in groups.items()}

    @wraps(command)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            given = {field.name: values.pop(field.name) for field in fields[name]}
            values[name] = group(**given)
        command(**values)

    own = [p for name, p in signature.parameters.items() if name not in groups]
    expanded = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=inspect.signature(group, eval_str=True).parameters[field.name].annotation,
        )
        for name, group in groups.items()
        for field in fields[name]
    ]
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + expanded
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
