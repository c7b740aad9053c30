"""`vidcli train run`: a model from nothing by a recipe, step after step.

Not here: the steps themselves (`vidcli.train.recipe_steps`).
"""

import io
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.options import OUTPUT, JsonOption, QuietOption
from vidcli.cli.terminal import Notes, write_document, write_out, write_path, write_table
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.core.protocols import Progress
    from vidcli.train.recipe import Recipe

EVALUATION, PLOT, PREDICTIONS = "evaluation", "accuracy", "predictions"


def run(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE", help="Of the package by its name, or a TOML file.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Of all that is made; the same command goes on where one was stopped.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this step: synth, pretrain, tune, export, evaluate; may be repeated.",
            show_default="all",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the recipes of the package.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Say what is to be done and how long it takes.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a model from nothing by a recipe, and measure it.

    Writes the sets it is measured on, teaches its vision encoder, then its language model, where
    the recipe says so once more, exports a bundle and evaluates that. What is done for the same
    settings is not done again, and a run that was stopped at any moment goes on from there.
    """
    from vidcli.train.recipe import find_recipe, list_recipes

    if list_:
        write_table(list(list_recipes().items()), columns=("recipe", "what it makes"))
        return
    if recipe is None or out is None:
        raise UsageError(
            "name a recipe and a folder", hint="vidcli train run nano --out DIR; --list shows them"
        )
    from vidcli.train.extra import require_extra

    require_extra()
    found = find_recipe(recipe)
    _Run(found, out, Notes(quiet=quiet), quiet=quiet).carry_out(
        choose_steps(step or [], found.steps), dry_run=dry_run, json=json
    )


def choose_steps(named: list[str], steps: tuple[str, ...]) -> tuple[str, ...]:
    """Which of a recipe's steps to do, in their order.

    Raises:
        UsageError: It has no such step.
    """
    for name in named:
        if name not in steps:
            raise UsageError(f"there is no step {name}", hint=f"one of: {', '.join(steps)}")
    return tuple(name for name in steps if not named or name in named)


class _Run:
    """A recipe that is carried out in a folder."""

    def __init__(self, recipe: "Recipe", out: Path, notes: Notes, *, quiet: bool) -> None:
        self.recipe, self.out, self.notes, self.quiet = recipe, out, notes, quiet
        self.digests = recipe.digests()

    def carry_out(self, steps: tuple[str, ...], *, dry_run: bool, json: bool) -> None:
        """Do what is not done, and say what came of it."""
        from vidcli.output.progress import open_progress
        from vidcli.train.recipe import is_done
        from vidcli.train.recipe_steps import bundle_folder

        todo = [step for step in steps if not is_done(self.out, step, self.digests[step])]
        if dry_run:
            write_out("".join(f"{line}\n" for line in self._plan(steps, todo)))
            return
        self._require_before(todo)
        for line in self._plan(steps, todo):
            self.notes.tell(line)
        spent = {}
        with open_progress(quiet=self.quiet) as progress:
            for step in todo:
                started = time.monotonic()
                self._do(step, progress)
                spent[step] = round(time.monotonic() - started, 3)
                progress.clear()
                self.notes.tell(f"{step}: done in {_time(spent[step])}")
        folder = bundle_folder(self.recipe, self.out)
        if json:
            from vidcli.output.training import run_document

            write_document(
                run_document(
                    self.recipe.name, str(self.out), bundle=str(folder), steps=steps, spent=spent,
                    evaluations=self._evaluations(),
                )
            )  # fmt: skip
        else:
            write_path(str(folder))

    def _plan(self, steps: tuple[str, ...], todo: list[str]) -> list[str]:
        """What each step takes, told before any is begun."""
        from vidcli.train.recipe_steps import estimate_steps

        is_long = {"pretrain", "tune", "refine"} & set(todo)
        costs = estimate_steps(self.recipe) if is_long else {}
        recipe = self.recipe
        what = {
            "synth": f"{sum(one.clips for one in recipe.sets)} clips as video files",
            "pretrain": f"{recipe.pretrain.steps} steps",
            "tune": f"{recipe.tune.steps} steps",
            "refine": f"{recipe.refine.steps} steps" if recipe.refine else "",
            "export": f"weights as {recipe.export.quant}, projector as {recipe.export.mmproj}",
            "evaluate": ", ".join(one.name for one in recipe.sets),
        }
        lines = []
        for step in steps:
            if step not in todo:
                lines.append(f"{step}: done before")
            elif step in costs:
                lines.append(f"{step}: {what[step]}, about {_time(costs[step])}")
            else:
                lines.append(f"{step}: {what[step]}")
        return lines

    def _require_before(self, todo: list[str]) -> None:
        """Refuse a step whose steps before it are neither done nor to be done.

        Raises:
            UsageError: One is.
        """
        from vidcli.train.recipe import is_done

        needs = {
            "tune": ("pretrain",),
            "refine": ("tune",),
            "export": (self.recipe.taught,),
            "evaluate": ("synth", "export"),
        }
        for step in todo:
            for before in needs.get(step, ()):
                if before not in todo and not is_done(self.out, before, self.digests[before]):
                    raise UsageError(
                        f"{step} needs {before}, which is not done in {self.out}",
                        hint=f"--step {before} --step {step}, or no --step at all",
                    )

    def _do(self, step: str, progress: "Progress") -> None:
        from vidcli.train.recipe import note_done
        from vidcli.train.recipe_steps import MAKERS

        made = (
            self._evaluate()
            if step == "evaluate"
            else MAKERS[step](self.recipe, self.out, progress)
        )
        note_done(self.out, step, self.digests[step], made)

    def _evaluate(self) -> list[Path]:
        """Measure the bundle on every set, by the command anyone would use."""
        from vidcli.cli.app import app
        from vidcli.core.files import atomic_write
        from vidcli.train.recipe_steps import bundle_folder, set_folder

        folder, made = bundle_folder(self.recipe, self.out), []
        for one in self.recipe.sets:
            plot = folder / f"{PLOT}-{one.name}.png"
            kept = self.out / EVALUATION / f"{one.name}-{PREDICTIONS}.jsonl"
            words = [
                "eval", str(set_folder(self.out, one.name)), "--model", str(folder), "--json",
                "--predictions", str(kept), "--plot", str(plot),
                "--limit", str(self.recipe.evaluate.limit),
            ]  # fmt: skip
            words += ["--controls"] * self.recipe.evaluate.controls + ["--quiet"] * self.quiet
            said = io.StringIO()
            with redirect_stdout(said):
                code = app(words, prog_name="vidcli", standalone_mode=False)
            if code:
                raise typer.Exit(code)
            document = self._document(one.name)
            with atomic_write(document) as file:
                file.write(said.getvalue().encode())
            made += [document, plot]
        return made

    def _document(self, name: str) -> Path:
        from vidcli.train.recipe_steps import bundle_folder

        return bundle_folder(self.recipe, self.out) / f"{EVALUATION}-{name}.json"

    def _evaluations(self) -> list[str]:
        documents = [self._document(one.name) for one in self.recipe.sets]
        return [str(path) for path in documents if path.exists()]


def _time(seconds: float) -> str:
    from vidcli.core.time import format_time

    return format_time(seconds)
