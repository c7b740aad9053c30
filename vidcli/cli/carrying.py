"""Carrying out a recipe: its steps in order, none of them twice, each told before and after.

Not here: what the steps are (`vidcli.cli.train_run`, `vidcli.cli.train_pipeline`).
"""

import io
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vidcli.cli.terminal import Notes, write_document, write_out, write_path
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidcli.core.protocols import Progress

Program = Callable[[Sequence[str]], int]


def get_program(ctx: typer.Context) -> Program:
    """What runs a command line, without its leading `vidcli`, as if it had been typed.

    It returns the exit code; what went wrong is said by then.
    """
    root: Any = ctx.find_root().command

    def run(words: Sequence[str]) -> int:
        return int(root.main(list(words), prog_name="vidcli", standalone_mode=False) or 0)

    return run


class Carrying(ABC):
    """A recipe that is carried out in a folder.

    Attributes:
        name: Of the recipe.
        out: Folder of all that is made.
        bundle: Folder of the model in the end.
        digests: Names what decides each step's result, by the names of all steps in order.
        notes: Where to say what is done.
        quiet: Whether commands that are run say nothing beside.
        program: Runs commands.
    """

    def __init__(
        self,
        name: str,
        out: Path,
        *,
        bundle: Path,
        digests: Mapping[str, str],
        notes: Notes,
        quiet: bool,
        program: Program,
    ) -> None:
        self.name, self.out, self.bundle, self.digests = name, out, bundle, digests
        self.notes, self.quiet, self.program = notes, quiet, program

    @abstractmethod
    def plan(self, todo: Sequence[str]) -> Mapping[str, str]:
        """What each step does, and takes where that is known, told before any is begun."""

    @abstractmethod
    def needs(self, step: str) -> Sequence[str]:
        """The steps whose results a step takes."""

    @abstractmethod
    def do(self, step: str, progress: "Progress") -> list[Path]:
        """Do a step; gives the files it made."""

    def evaluations(self) -> list[str]:
        """Documents that `eval` wrote."""
        return []

    def carry_out(self, steps: Sequence[str], *, dry_run: bool, json: bool) -> None:
        """Do what is not done, and say what came of it."""
        from vidcli.output.progress import open_progress
        from vidcli.train.notes import note_done

        todo = [step for step in steps if not self._is_done(step)]
        if dry_run:
            write_out("".join(f"{line}\n" for line in self._say(steps, todo)))
            return
        self._require_before(todo)
        for line in self._say(steps, todo):
            self.notes.tell(line)
        spent = {}
        with open_progress(quiet=self.quiet) as progress:
            for step in todo:
                started = time.monotonic()
                note_done(self.out, step, self.digests[step], self.do(step, progress))
                spent[step] = round(time.monotonic() - started, 3)
                progress.clear()
                self.notes.tell(f"{step}: done in {_time(spent[step])}")
        if json:
            from vidcli.output.training import run_document

            write_document(
                run_document(
                    self.name, str(self.out), bundle=str(self.bundle), steps=steps, spent=spent,
                    evaluations=self.evaluations(),
                )
            )  # fmt: skip
        else:
            write_path(str(self.bundle))

    def run_command(self, words: Sequence[str], *, lines: str = "") -> str:
        """Run a command, and give what it wrote to standard output.

        Raises:
            typer.Exit: It failed; why is said.
        """
        said = io.StringIO()
        with redirect_stdout(said), _standard_input(lines):
            code = self.program(words)
        if code:
            raise typer.Exit(code)
        return said.getvalue()

    def _is_done(self, step: str) -> bool:
        from vidcli.train.notes import is_done

        return is_done(self.out, step, self.digests[step])

    def _say(self, steps: Sequence[str], todo: Sequence[str]) -> list[str]:
        plan = self.plan(todo)
        return [f"{step}: {plan[step] if step in todo else 'done before'}" for step in steps]

    def _require_before(self, todo: Sequence[str]) -> None:
        """Refuse a step whose steps before it are neither done nor to be done.

        Raises:
            UsageError: One is.
        """
        for step in todo:
            for before in self.needs(step):
                if before not in todo and not self._is_done(before):
                    raise UsageError(
                        f"{step} needs {before}, which is not done in {self.out}",
                        hint=f"--step {before} --step {step}, or no --step at all",
                    )


@contextmanager
def _standard_input(text: str) -> "Iterator[None]":
    """Have a text stand in standard input for the block."""
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8")
    try:
        yield
    finally:
        sys.stdin = before


def _time(seconds: float) -> str:
    from vidcli.core.time import format_time

    return format_time(seconds)
