"""`vidcli train run`: a model from nothing by a recipe, step after step.

Not here: the steps themselves (`vidcli.train.recipe_steps`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.carrying import Carrying, Program, get_program
from vidcli.cli.options import OUTPUT, JsonOption, QuietOption
from vidcli.cli.terminal import Notes, write_table
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.core.protocols import Progress
    from vidcli.train.recipe import Recipe

EVALUATION, PLOT, PREDICTIONS = "evaluation", "accuracy", "predictions"


def run(
    ctx: typer.Context,
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
            help="Only this step, such as pretrain; may be repeated. --dry-run lists them.",
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
    """Make a model by a recipe, and measure it.

    From nothing: writes the sets it is measured on, teaches its vision encoder, then its language
    model, exports a bundle and evaluates that. A recipe may also list commands, such as those from
    your own videos to a bundle. What is done for the same settings is not done again, and a run
    that was stopped at any moment goes on from there.
    """
    from vidcli.cli.train_pipeline import PipelineRun
    from vidcli.train.pipeline import Pipeline
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
    found, quietly = find_recipe(recipe), Notes(quiet=quiet)
    chosen = choose_steps(step or [], found.steps)
    carrying: Carrying
    if isinstance(found, Pipeline):
        carrying = PipelineRun(found, out, notes=quietly, quiet=quiet, program=get_program(ctx))
    else:
        carrying = RecipeRun(found, out, notes=quietly, quiet=quiet, program=get_program(ctx))
    carrying.carry_out(chosen, dry_run=dry_run, json=json)


def choose_steps(named: list[str], steps: tuple[str, ...]) -> tuple[str, ...]:
    """Which of a recipe's steps to do, in their order.

    Raises:
        UsageError: It has no such step.
    """
    for name in named:
        if name not in steps:
            raise UsageError(f"there is no step {name}", hint=f"one of: {', '.join(steps)}")
    return tuple(name for name in steps if not named or name in named)


class RecipeRun(Carrying):
    """A recipe of settings that is carried out in a folder."""

    def __init__(
        self, recipe: "Recipe", out: Path, *, notes: Notes, quiet: bool, program: Program
    ) -> None:
        from vidcli.train.recipe_steps import bundle_folder

        super().__init__(
            recipe.name, out, bundle=bundle_folder(recipe, out), digests=recipe.digests(),
            notes=notes, quiet=quiet, program=program,
        )  # fmt: skip
        self.recipe = recipe

    def plan(self, todo: Sequence[str]) -> Mapping[str, str]:
        """What each step does, and how long those take that take long."""
        from vidcli.core.time import format_time
        from vidcli.train.recipe_steps import estimate_steps

        is_long = {"pretrain", "tune"} & set(todo)
        costs = estimate_steps(self.recipe) if is_long else {}
        recipe = self.recipe
        what = {
            "synth": f"{sum(one.clips for one in recipe.sets)} clips as video files",
            "pretrain": f"{recipe.pretrain.steps} steps",
            "tune": f"{recipe.tune.steps} steps",
            "export": f"weights as {recipe.export.quant}, projector as {recipe.export.mmproj}",
            "evaluate": ", ".join(one.name for one in recipe.sets),
        }
        about = {step: f", about {format_time(seconds)}" for step, seconds in costs.items()}
        return {step: f"{text}{about.get(step, '')}" for step, text in what.items()}

    def needs(self, step: str) -> Sequence[str]:
        """The steps whose results a step takes."""
        return {
            "tune": ("pretrain",),
            "export": ("tune",),
            "evaluate": ("synth", "export"),
        }.get(step, ())

    def do(self, step: str, progress: "Progress") -> list[Path]:
        """Do a step; gives the files it made."""
        from vidcli.train.recipe_steps import MAKERS

        if step == "evaluate":
            return self._evaluate()
        return MAKERS[step](self.recipe, self.out, progress)

    def evaluations(self) -> list[str]:
        """Documents that `eval` wrote."""
        documents = [self._document(one.name) for one in self.recipe.sets]
        return [str(path) for path in documents if path.exists()]

    def _evaluate(self) -> list[Path]:
        """Measure the bundle on every set, by the command anyone would use."""
        from vidcli.core.files import atomic_write
        from vidcli.train.recipe_steps import set_folder

        made = []
        for one in self.recipe.sets:
            plot = self.bundle / f"{PLOT}-{one.name}.png"
            kept = self.out / EVALUATION / f"{one.name}-{PREDICTIONS}.jsonl"
            words = [
                "eval", str(set_folder(self.out, one.name)), "--model", str(self.bundle), "--json",
                "--predictions", str(kept), "--plot", str(plot),
                "--limit", str(self.recipe.evaluate.limit),
            ]  # fmt: skip
            words += ["--controls"] * self.recipe.evaluate.controls + ["--quiet"] * self.quiet
            document = self._document(one.name)
            said = self.run_command(words)
            with atomic_write(document) as file:
                file.write(said.encode())
            made += [document, plot]
        return made

    def _document(self, name: str) -> Path:
        return self.bundle / f"{EVALUATION}-{name}.json"
