"""`vidcli eval`: how well a model answers the questions of a set."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.choosing import as_taught
from vidcli.cli.evaluating import EvalOptions, Evaluation, Mode, Replied, check_questions
from vidcli.cli.groups import Loading, Telling, Watching, takes_groups
from vidcli.cli.options import PromptStyle
from vidcli.cli.terminal import write_document, write_table
from vidcli.cli.vcgbench import Judging, evaluate_vcgbench
from vidcli.cli.watching import check_method, choose_method, refuse_method
from vidcli.errors import PartialFailure, ResourceError, UsageError

if TYPE_CHECKING:
    from vidcli.evaluate.sets import EvalQuestion
    from vidcli.output.evaluations import RunScore

ASKING = "Asking"
MAX_TOKENS = 64
BENCH_TOKENS = 256  # of answers that are scored for their detail
PREDICTIONS = "predictions.jsonl"


@takes_groups
def eval(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|vcgbench|mvbench",
            help="A set, as 'vidcli data synth' writes it; or the benchmark of that name.",
            show_default=False,
        ),
    ],
    looking: Watching,
    loading: Loading,
    telling: Telling,
    judging: Judging,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this kind of question; may be repeated.",
            show_default="all",
            rich_help_panel=ASKING,
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            min=0,
            help="At most so many questions of each kind; 0 asks all.",
            rich_help_panel=ASKING,
        ),
    ] = 0,
    no_frames: Annotated[
        bool,
        typer.Option(
            "--no-frames", help="Control: show the model nothing.", rich_help_panel=ASKING
        ),
    ] = False,
    reverse: Annotated[
        bool,
        typer.Option(
            "--reverse", help="Control: run every video backwards.", rich_help_panel=ASKING
        ),
    ] = False,
    controls: Annotated[
        bool,
        typer.Option(
            "--controls",
            help="Ask three times: as usual, and under both controls.",
            rich_help_panel=ASKING,
        ),
    ] = False,
    instruction: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Stands after each question, such as: Answer in a few words.",
            rich_help_panel=ASKING,
        ),
    ] = "",
    max_tokens: Annotated[
        int | None,
        typer.Option(
            "--max-tokens",
            min=1,
            help="Longest reply.",
            show_default=f"{MAX_TOKENS}; {BENCH_TOKENS} for vcgbench",
            rich_help_panel=ASKING,
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where replies are kept, to go on from.",
            show_default=f"DIR/{PREDICTIONS}; of a benchmark NAME-{PREDICTIONS} here",
            rich_help_panel=ASKING,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw the accuracies.", rich_help_panel=ASKING),
    ] = None,
) -> None:
    """Measure how well a model answers a set of questions, by kind of question.

    Every question goes the way of 'vidcli ask', greedily. Replies that are no answer count as
    wrong. Beside each accuracy stand its 95 % interval and what guessing reaches. Replies are kept,
    so an interrupted run goes on where it stopped.

    vcgbench has free answers, which --judge scores 0 to 5 in five aspects. mvbench has options,
    which get letters; the likeliest is the reply, from 16 frames of the part that is asked about.
    """
    from vidcli.evaluate.mvbench import NAME as MVBENCH
    from vidcli.evaluate.mvbench import read_mvbench
    from vidcli.evaluate.predictions import Predictions
    from vidcli.evaluate.sets import limit_each, read_set
    from vidcli.evaluate.vcgbench import NAME as VCGBENCH
    from vidcli.output.evaluations import eval_document, score_run, score_table
    from vidcli.output.progress import open_progress

    modes = choose_modes(no_frames=no_frames, reverse=reverse, controls=controls)
    check_method(looking)
    looking = as_taught(looking, loading.model)
    if is_benchmark(folder, VCGBENCH):
        refuse_method(looking, "eval vcgbench")
        refuse_with_vcgbench(kind=kind is not None, controls=controls, plot=plot is not None)
        longest = max_tokens or BENCH_TOKENS
        options = EvalOptions(looking, loading, telling, longest, instruction)
        evaluate_vcgbench(judging, options, modes[0], predictions, limit)
        return
    is_mvbench = is_benchmark(folder, MVBENCH)
    refuse_of_benchmarks(judging, folder, is_mvbench=is_mvbench)
    if plot is not None and plot.suffix.lower() != ".png":
        raise UsageError(f"--plot {plot} is no PNG file", hint="--plot accuracy.png")
    if is_mvbench:
        assert judging.data is not None, "refused above"
        questions, looking = read_mvbench(judging.data, judging.videos), as_published(looking)
    else:
        questions = read_set(folder)
    check_questions(questions, kind or [])
    chosen = [question for question in questions if not kind or question.kind in kind]
    chosen = limit_each(chosen, limit)
    options = EvalOptions(looking, loading, telling, max_tokens or MAX_TOKENS, instruction)
    kept_here = Path(f"{MVBENCH}-{PREDICTIONS}") if is_mvbench else folder / PREDICTIONS
    path = predictions or kept_here
    try:
        with Predictions(path) as kept, Evaluation(options, kept) as evaluation:
            warnings = evaluation.find_leaks(chosen, None if is_mvbench else folder)
            for text in warnings:
                telling.notes.warn(text)
            try:
                with open_progress(quiet=telling.quiet) as progress:
                    found = [(mode, evaluation.run(chosen, mode, progress)) for mode in modes]
            except KeyboardInterrupt:
                telling.notes.tell(f"{evaluation.asked} new replies are kept in {path}")
                raise
            model, digests, asked = evaluation.name, evaluation.digests, evaluation.asked
    except OSError as error:
        raise ResourceError(
            f"cannot keep replies in {path}: {error.strerror or error}",
            hint="name another file with --predictions",
        ) from error
    runs = [
        score_run(mode.value, replied.replies, failed=replied.failed) for mode, replied in found
    ]
    if plot is not None:
        _draw(plot, runs, f"{model} on {folder.name}")
    if telling.json:
        write_document(
            eval_document(
                str(folder), runs, model=model, digests=digests, predictions=str(path),
                settings=_settings(options, loading), warnings=warnings,
            )
        )  # fmt: skip
    else:
        columns, rows = score_table(runs)
        write_table(rows, columns=columns, right=range(1, len(columns)))
    _tell(found, runs, asked, telling)
    _raise_failures(found, chosen)


def is_benchmark(folder: Path, name: str) -> bool:
    """Whether this names a benchmark, and no set that is called so."""
    from vidcli.evaluate.sets import FILE

    return str(folder) == name and not (folder / FILE).exists()


def as_published(looking: Watching) -> Watching:
    """MVBench's prompt and number of frames, where nothing else is asked for."""
    from vidcli.evaluate.mvbench import FRAMES
    from vidcli.methods.registry import AUTO, UNIFORM

    if looking.prompt_style is PromptStyle.OWN and not choose_method(looking).runs:
        looking = replace(looking, prompt_style=PromptStyle.MVBENCH)
    if looking.method not in (AUTO, UNIFORM):
        return looking
    is_free = not looking.frames and looking.fps is None and looking.max_gap is None
    return replace(looking, frames=FRAMES) if is_free and looking.select is None else looking


def refuse_of_benchmarks(judging: Judging, folder: Path, *, is_mvbench: bool) -> None:
    """Refuse options of another benchmark, and MVBench without its files.

    Raises:
        UsageError: One was given, or none is.
    """
    for option in judging.given:
        if is_mvbench and option in ("--data", "--videos"):
            continue
        raise UsageError(
            f"{option} is of vcgbench, and {folder} is {'mvbench' if is_mvbench else 'a set'}",
            hint="vidcli eval vcgbench --data FILE --judge MODEL",
        )
    if is_mvbench and judging.data is None:
        raise UsageError(
            "no file of MVBench is named", hint="vidcli eval mvbench --data JSONS --videos FOLDER"
        )


def refuse_with_vcgbench(**given: bool) -> None:
    """Refuse options that vcgbench has no use for.

    Raises:
        UsageError: One was given.
    """
    for name, is_given in given.items():
        if is_given:
            raise UsageError(
                f"vcgbench has no use for --{name}",
                hint="its aspects are scores; --no-frames and --reverse are its controls",
            )


def choose_modes(*, no_frames: bool, reverse: bool, controls: bool) -> list[Mode]:
    """What the model is shown, run by run.

    Raises:
        UsageError: The controls contradict each other.
    """
    if sum((no_frames, reverse, controls)) > 1:
        raise UsageError(
            "--no-frames, --reverse and --controls each say what the model is shown",
            hint="give one of them; --controls does all",
        )
    if controls:
        return list(Mode)
    return [Mode.BLIND if no_frames else Mode.REVERSED if reverse else Mode.FRAMES]


def _settings(options: EvalOptions, loading: Loading) -> dict[str, object]:
    looking = options.looking
    return {
        "frames": looking.frames or None,
        "select": looking.select.value if looking.select else None,
        "fps": looking.fps,
        "method": looking.method,
        "prompt_style": looking.prompt_style.value,
        "detail": loading.detail.value,
        "n_ctx": loading.n_ctx,
        "max_tokens": options.max_tokens,
        "instruction": options.instruction,
    }


def _draw(plot: Path, runs: "list[RunScore]", title: str) -> None:
    from vidcli.core.files import atomic_write
    from vidcli.evaluate.plot import Bars, draw_bars

    bars = [Bars(run.mode, run.kinds) for run in runs]
    try:
        with atomic_write(plot) as file:
            file.write(draw_bars(bars, title=title))
    except OSError as error:
        raise UsageError(f"cannot write {plot}: {error.strerror or error}") from error


def _tell(
    found: "list[tuple[Mode, Replied]]", runs: "list[RunScore]", asked: int, telling: Telling
) -> None:
    from vidcli.evaluate.metrics import judge

    total = sum(len(replied.replies) for _, replied in found)
    telling.notes.tell(f"{total} questions, {asked} of them asked now")
    for run in runs:
        if run.questions:
            spent = f"{run.mode}: {run.seconds_per_question:.3f} s a question"
            shown = f"{run.frames:.1f} frames, {run.visual_tokens:.0f} visual tokens"
            telling.notes.tell(f"{spent}, {shown}")
    for mode, replied in found if telling.verbose else ():
        for question, prediction in replied.replies:
            if not judge(question, prediction.reply).is_right:
                telling.notes.detail(
                    f"{mode.value}: {question.id}: {question.text} {prediction.reply!r}, "
                    f"not {question.answer!r}"
                )


def _raise_failures(found: "list[tuple[Mode, Replied]]", chosen: "list[EvalQuestion]") -> None:
    failed = max(replied.failed for _, replied in found)
    if failed:
        total = len({os.fspath(question.video) for question in chosen})
        raise PartialFailure(f"{failed} of {total} videos failed; their questions are not counted")
