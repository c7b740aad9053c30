"""Options of runs over many videos: the form of results, where they go, what is done again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vidcli.cli.groups import Telling
from vidcli.cli.options import OUTPUT, kept
from vidcli.errors import UsageError
from vidcli.output.forms import Form

RUN = "Runs over many videos"


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` (from 1) of `count` parts of a run, told apart by the videos' content."""

    number: int
    count: int

    def has(self, fingerprint: str) -> bool:
        """Whether a video belongs to this part; every video belongs to exactly one."""
        return int(fingerprint, 16) % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def read_shard(text: "str | Shard") -> Shard:
    """`2/8` as the second of eight parts.

    Raises:
        typer.BadParameter: It is no such part.
    """
    if isinstance(text, Shard):
        return text
    number, _, count = text.partition("/")
    if all(part.isascii() and part.isdigit() for part in (number, count)):
        shard = Shard(int(number), int(count))
        if 1 <= shard.number <= shard.count:
            return shard
    raise typer.BadParameter(f"{text!r} is no part of a run; write 1/4 for the first of four")


OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Do again what is done.", rich_help_panel=RUN)
]
FailFastOption = Annotated[
    bool, typer.Option("--fail-fast", help="Stop at the first failure.", rich_help_panel=RUN)
]
ShardOption = Annotated[
    Shard | None,
    typer.Option(
        metavar="I/N",
        parser=read_shard,
        help="Do part I of N parts, for several machines.",
        rich_help_panel=RUN,
    ),
]


@dataclass(frozen=True, slots=True)
class Summing(Telling):
    """What is said of a run whose results are rows."""

    json: Annotated[
        bool,
        typer.Option("--json", help="Print a summary as JSON.", rich_help_panel=OUTPUT),
    ] = False


@dataclass(frozen=True, slots=True)
class Collecting:
    """Where the rows of a run go, and what of it is done again."""

    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where rows go: .jsonl grows as they are made, .json is one array.  "
            "[default: standard output]",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    overwrite: OverwriteOption = False
    fail_fast: FailFastOption = False
    shard: ShardOption = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """How results are kept, and what of a run is done again."""

    form: Annotated[Form | None, kept("format", "--format", panel=OUTPUT)] = None
    out_dir: Annotated[
        Path | None,
        typer.Option(
            "--out-dir",
            metavar="DIR",
            help="Write a file for each video there, as its directories lie.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    sidecar: Annotated[
        bool,
        typer.Option(
            "--sidecar", help="Write a file for each video beside it.", rich_help_panel=OUTPUT
        ),
    ] = False
    overwrite: OverwriteOption = False
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Try again what failed.", rich_help_panel=RUN),
    ] = False
    fail_fast: FailFastOption = False
    shard: ShardOption = None

    @property
    def writes_files(self) -> bool:
        """Whether results go into files and not to standard output."""
        return self.sidecar or self.out_dir is not None

    def choose_form(self, *, json: bool, many: bool) -> Form:
        """The form of results.

        Args:
            json: `--json` was given.
            many: There may be more than one result.

        Raises:
            UsageError: The options contradict each other.
        """
        if self.sidecar and self.out_dir is not None:
            raise UsageError("--sidecar does not go with --out-dir", hint="leave one of them out")
        form = self.form or (Form.JSON if json else Form.TEXT)
        if self.writes_files:
            return form
        if json and not form.is_json:
            raise UsageError(
                f"--json does not go with --format {form}", hint="leave one of them out"
            )
        if many and form in (Form.SRT, Form.VTT):
            raise UsageError(
                f"--format {form} of several videos cannot be one stream",
                hint="give --out-dir DIR or --sidecar for a file each",
            )
        return form
