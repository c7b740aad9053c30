"""`vidcli train run` with a recipe of commands: each is run as it would be typed."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.cli.carrying import Carrying, Program
from vidcli.cli.terminal import Notes
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.core.protocols import Progress
    from vidcli.train.pipeline import Pipeline

SAID = "said"  # folder of what the commands write to standard output


class PipelineRun(Carrying):
    """A recipe of commands that is carried out in a folder."""

    def __init__(
        self, pipeline: "Pipeline", out: Path, *, notes: Notes, quiet: bool, program: Program
    ) -> None:
        super().__init__(
            pipeline.name, out, bundle=out / pipeline.bundle, digests=pipeline.digests(),
            notes=notes, quiet=quiet, program=program,
        )  # fmt: skip
        self.commands = {command.name: command for command in pipeline.commands}
        self.spelled = {name: pipeline.spell(one, out) for name, one in self.commands.items()}

    def plan(self, todo: Sequence[str]) -> Mapping[str, str]:
        """The commands; what each takes it says itself before it begins."""
        return {name: shlex.join(["vidcli", *words]) for name, words in self.spelled.items()}

    def needs(self, step: str) -> Sequence[str]:
        """Every step before it."""
        steps = list(self.commands)
        return steps[: steps.index(step)]

    def do(self, step: str, progress: "Progress") -> list[Path]:
        """Run a command, keep what it says, and look whether it made what it is to make.

        Raises:
            UsageError: Something is missing.
        """
        from vidcli.core.files import atomic_write

        kept = self.out / SAID / f"{step}.txt"
        said = self.run_command(self.spelled[step], lines=self.commands[step].lines)
        with atomic_write(kept) as file:
            file.write(said.encode())
        made = [kept]
        for name in self.commands[step].makes:
            path = self.out / name
            if not path.exists():
                raise UsageError(
                    f"the step {step} has not made {path}", hint="correct 'makes' in the recipe"
                )
            made += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        return made
