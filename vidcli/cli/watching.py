"""Which method watches a video, and the methods that do the whole work themselves."""

import time
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vidcli import settings
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage, choose_plan
from vidcli.cli.groups import Looking, Watching
from vidcli.cli.options import PromptStyle
from vidcli.cli.tasks import Job
from vidcli.cli.written import write_file
from vidcli.core.method import Method
from vidcli.core.prompt import TextPart
from vidcli.core.protocols import Progress
from vidcli.core.results import Answer, Approach, Delta, Timings, VideoReport
from vidcli.errors import UsageError
from vidcli.methods import auto
from vidcli.methods.registry import AUTO, UNIFORM, ChosenMethod, load_named, read_method

if TYPE_CHECKING:
    from vidcli.core.media import FramePlan
    from vidcli.methods.ask import Question
    from vidcli.methods.estimate import Estimate
    from vidcli.methods.recipe import Recipe, Room
    from vidcli.methods.watch import Fit
    from vidcli.methods.work import Work


def choose_method(looking: Looking) -> ChosenMethod:
    """What the command line, or a setting, asks for; `uniform` where a command has no method.

    Raises:
        UsageError: There is no such method, or no such parameter of it.
    """
    if not isinstance(looking, Watching):
        return read_method(UNIFORM)
    try:
        chosen = read_method(looking.method)
    except UsageError as error:
        kept = settings.find("method")
        if kept.source is settings.Source.DEFAULT or kept.written != looking.method:
            raise
        raise UsageError(f"{error}; {kept.where} names it", hint=error.hint) from error
    return _settle(chosen, looking)


def _settle(chosen: ChosenMethod, looking: Watching) -> ChosenMethod:
    """Let `--frames` and `--at` stand for the method's own parameters.

    Raises:
        UsageError: It has none such.
    """
    if chosen.method is None:
        if looking.at is None:
            return chosen
        rule = auto.choose(auto.Situation(Fraction(0), has_moment=True))
        chosen = replace(read_method(rule.method), asked=AUTO, why=rule.when)
    assert chosen.method is not None
    given: dict[str, int | str] = {}
    if looking.at is not None:
        if "at" not in chosen.options:
            raise UsageError(
                f"--at does not go with --method {chosen.method.name}",
                hint="use --method memory, or look at a part only with --from and --to",
            )
        given["at"] = str(looking.at)
    if looking.frames and "frames" in chosen.options:
        given["frames"] = looking.frames
    return replace(chosen, options={**chosen.options, **given})


def check_method(looking: Looking) -> None:
    """Refuse a method that there is not, or options that contradict each other.

    Raises:
        UsageError: It is such a one.
    """
    chosen = choose_method(looking)
    is_worded = isinstance(looking, Watching) and looking.prompt_style is not PromptStyle.OWN
    if chosen.runs and chosen.method is not None and is_worded:
        raise UsageError(
            f"--prompt-style does not go with --method {chosen.method.name}, which asks in its own "
            "words",
            hint="leave one of them out",
        )
    if chosen.method is not None and chosen.method.shows:
        _ = chosen.recipe


def plan_video(
    source: Footage, looking: Looking, *, progress: Progress | None = None
) -> "FramePlan":
    """The instants to look at, as the method that is asked for wants them.

    Raises:
        UsageError: The options contradict each other, or the span makes no sense.
    """
    from vidcli.media.plan import choose_span

    chosen = choose_method(looking)
    if chosen.method is not None and chosen.method.shows:
        recipe: Recipe = chosen.recipe
        span = choose_span(source.info, start=looking.start, end=looking.end)
        plan = recipe.plan(source.info, span)
        if plan is not None:
            _refuse_rules(looking, chosen.method)
            return plan
    return choose_plan(source, looking, progress=progress)


def _refuse_rules(looking: Looking, method: Method) -> None:
    """Refuse rules that choose frames where the method has its own.

    Raises:
        UsageError: There is one.
    """
    for value, flag in ((looking.select, "--select"), (looking.fps, "--fps")):
        if value is not None:
            raise UsageError(
                f"{flag} does not go with --method {method.name}, which chooses frames itself",
                hint="leave it out, or look at frames one by one with --method uniform",
            )
    if looking.max_gap is not None:
        raise UsageError(
            f"--max-gap does not go with --method {method.name}, which chooses frames itself",
            hint="leave it out, or look at frames one by one with --method uniform",
        )


def choose_way(
    bench: Bench,
    source: Footage,
    looking: Looking,
    question: "Question",
    *,
    plan: "FramePlan",
    reserve: int,
) -> "Fit":
    """Fit a plan to the context, as the method that is asked for shows it.

    Args:
        bench: With the loaded model.
        source: The opened video.
        looking: Which frames, and which method.
        question: What is asked.
        plan: From `plan_video`.
        reserve: Cells kept for the answer.

    Raises:
        ModelError: The model cannot be shown a video by this method.
        ResourceError: Not even one frame fits.
    """
    from vidcli.methods.recipe import Recipe

    chosen = choose_method(looking)
    recipe = Recipe() if chosen.method is None or chosen.runs else chosen.recipe
    _refuse_citations(recipe, question)
    room = measure_room(bench, source, question, recipe, plan, reserve=reserve)
    fit = recipe.fit(plan, bench.session, room)
    if chosen.method is None:
        chosen = _choose_freely(bench, looking, question, plan, fit)
        if chosen.method is not None and chosen.method.name != UNIFORM:
            recipe = chosen.recipe
            plan = recipe.plan(source.info, plan.span) or plan
            room = measure_room(bench, source, question, recipe, plan, reserve=reserve)
            fit = recipe.fit(plan, bench.session, room)
    warnings = [*plan.notes, *fit.warnings]
    if bench.arranger is not None and recipe.name != UNIFORM:
        warnings.append(
            f"the model was taught to see videos as {bench.arranger.kind}, and is shown "
            f"{recipe.name} instead"
        )
    return replace(fit, warnings=tuple(warnings), recipe=recipe, approach=describe_choice(chosen))


def _refuse_citations(recipe: "Recipe", question: "Question") -> None:
    """Refuse to have frames cited that are not shown by themselves.

    Raises:
        UsageError: They are to be.
    """
    if question.cite and not recipe.one_by_one:
        raise UsageError(
            f"--cite does not go with --method {recipe.name}: no frame is shown by itself",
            hint="leave out --cite, or use --method uniform",
        )


def _choose_freely(
    bench: Bench, looking: Looking, question: "Question", plan: "FramePlan", fit: "Fit"
) -> ChosenMethod:
    """What `auto` takes.

    Args:
        bench: With the loaded model.
        looking: Which frames.
        question: What is asked.
        plan: What `uniform` would look at.
        fit: How much of it the context holds.
    """
    from vidcli.methods.arranged import explain_unfit
    from vidcli.methods.ask import CAPTION_QUESTION

    named = (looking.frames, looking.fps, looking.select, looking.max_gap)
    now = auto.Situation(
        length=plan.span.length,
        has_frames=any(named),
        cites=question.cite,
        describes=question.text == CAPTION_QUESTION,
        is_fit=not explain_unfit(bench.session.measure(fit.size), needs_grid=True),
        is_taught=bench.arranger is not None,
        holds_all=not fit.warnings,
    )
    rule = auto.choose(now)
    return replace(read_method(rule.method), asked=AUTO, why=rule.when)


def measure_room(
    bench: Bench,
    source: Footage,
    question: "Question",
    recipe: "Recipe",
    plan: "FramePlan",
    *,
    reserve: int,
) -> "Room":
    """What stands around the frames, in cells."""
    from vidcli.methods.ask import start_reply, write_turns
    from vidcli.methods.compose import write_intro
    from vidcli.methods.recipe import Room

    profile = recipe.profile(bench.session.profile)
    times = [frame.time for frame in plan.frames]
    around = write_intro(profile, times, duration=source.info.duration) + profile.outro
    turns = write_turns(question, [TextPart(around, special=True)])
    parts = (*bench.session.render_chat(turns), *start_reply(question))
    cells = bench.session.count_cells(parts)
    return Room(source.info.video.display_size, cells, reserve)


def describe_choice(chosen: ChosenMethod) -> Approach:
    """A chosen method, for the result; parameters that are empty are left out."""
    name = chosen.method.name if chosen.method is not None else UNIFORM
    options = tuple((key, value) for key, value in chosen.options.items() if value != "")
    return Approach(name, chosen.asked, chosen.why, options)


def make_work(
    bench: Bench,
    source: Footage,
    looking: Looking,
    question: "Question",
    *,
    plan: "FramePlan",
    timings: Timings,
    progress: Progress | None = None,
    record: "list[dict[str, Any]] | None" = None,
) -> "Work":
    """What a method that does the whole work itself is handed."""
    from vidcli.methods.work import Work

    chosen = choose_method(looking)
    method = chosen.method
    assert method is not None, "auto takes no method that runs"
    video = VideoReport(source.info.path, source.fingerprint, source.info.duration)
    entries: list[dict[str, Any]] = [] if record is None else record
    return Work(
        session=bench.session,
        source=source,
        span=plan.span,
        plan=plan,
        question=question,
        video=video,
        options=chosen.options,
        approach=describe_choice(chosen),
        open_store=lambda size: bench.open_store(video, size),
        timings=timings,
        warnings=(*source.info.warnings, *plan.notes),
        progress=progress,
        tools=load_named(method.tools)(bench, source) if method.tools else {},
        record=entries.append,
    )


def answer_by_work(job: Job, looking: Looking, question: "Question") -> Answer:
    """Answer by a method that does the whole work itself, writing the text as it comes.

    Raises:
        VidcliError: It cannot be answered.
        KeyboardInterrupt: The user stopped it; what was written stands.
    """
    from vidcli.output.methods import method_trace_document

    bench, method = job.bench, choose_method(looking).method
    assert method is not None
    timings = Timings(load=bench.take_load_seconds())
    plan = job.plan or plan_video(job.source, looking, progress=job.progress)
    entries: list[dict[str, Any]] = []
    answer: Answer | None = None
    with ExitStack() as stack:
        work = make_work(
            bench, job.source, looking, question, plan=plan, timings=timings,
            progress=job.progress, record=entries,
        )  # fmt: skip
        if job.trace is not None:
            path, report = job.trace, bench.session.report
            stack.callback(
                lambda: write_file(path, method_trace_document(work.video, question.text, report,
                                                               work.approach, entries))
            )  # fmt: skip
        for piece in load_named(method.runs)(work):
            job.progress.clear()
            if isinstance(piece, Delta):
                job.write(piece.text)
            else:
                answer = piece
    job.look_ahead()
    assert answer is not None, "a method ends with an answer"
    notes = dict.fromkeys((*answer.warnings, *bench.all_warnings(), *bench.doubts))
    total = time.perf_counter() - job.started
    return replace(answer, timings=replace(answer.timings, total=total), warnings=tuple(notes))


def estimate_work(
    bench: Bench, source: Footage, looking: Looking, question: "Question"
) -> "Estimate":
    """What a method that does the whole work itself would take.

    Raises:
        UsageError: It cannot tell.
    """
    method = choose_method(looking).method
    assert method is not None
    if not method.estimates:
        raise UsageError(
            f"the method {method.name} cannot tell beforehand what it takes: {method.cost}",
            hint="leave out --dry-run",
        )
    plan = plan_video(source, looking)
    work = make_work(bench, source, looking, question, plan=plan, timings=Timings())
    found: Estimate = load_named(method.estimates)(work)
    return found


def refuse_method(looking: Looking, command: str) -> None:
    """Refuse methods that a command cannot use.

    Raises:
        UsageError: The method does the whole work itself.
    """
    chosen = choose_method(looking)
    if chosen.runs and chosen.method is not None:
        raise UsageError(
            f"'vidcli {command}' does not go with --method {chosen.method.name}",
            hint=f"leave it out, or use --method {AUTO}",
        )
