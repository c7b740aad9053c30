"""`vidcli data narrate --dry-run`: the clips, and how long telling them would take."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

from vidcli.cli.asking import fit_question
from vidcli.cli.build import Bench, import_engine, open_bench
from vidcli.cli.footage import Footage, open_videos
from vidcli.cli.groups import Loading, Looking, Telling
from vidcli.cli.inputs import Inputs, each_input
from vidcli.cli.labels import LabelFiles
from vidcli.cli.narrate_options import Cutting
from vidcli.cli.terminal import write_document, write_table
from vidcli.output.datasets import NarrationPlan, narrate_plan_document, narrate_plan_rows
from vidcli.output.progress import open_progress

if TYPE_CHECKING:
    from vidcli.methods.narrate import Narrating
    from vidcli.methods.windows import Clip


def rehearse_each(
    inputs: Inputs,
    cutting: Cutting,
    narrating: "Narrating",
    loading: Loading,
    telling: Telling,
) -> None:
    """Say how many clips the videos have, and what telling them would take.

    Raises:
        VidcliError: The only video failed, or what failed would fail for every other too.
        PartialFailure: Some of several videos failed; the plan speaks of the others.
    """
    from vidcli.methods.windows import measure_share

    plan = NarrationPlan(
        frames=cutting.frames,
        draws=(narrating.candidates, narrating.gap_candidates, narrating.rephrase),
    )
    only = inputs.files[0].path if len(inputs.files) == 1 else None
    labels = LabelFiles(cutting.labels or [], only=only)
    with ExitStack() as stack:
        open_video = stack.enter_context(open_videos())
        import_engine()
        bench = stack.enter_context(open_bench(loading, notes=telling.notes))

        def count(path: str) -> None:
            source = open_video(path)
            span, clips = cutting.find_clips(source, labels.of(path))
            if not plan.videos:
                plan.model = bench.session.report
                _measure(plan, bench, source, clips[0], cutting, narrating)
            share = float(measure_share(span, [clip.span for clip in clips]))
            plan.add(path, span.length, share, [len(clip.texts) for clip in clips])

        try:
            with open_progress(quiet=telling.quiet):
                each_input(inputs, count, json=False)
        finally:
            if plan.videos and telling.json:
                write_document(narrate_plan_document(plan))
            elif plan.videos:
                write_table(narrate_plan_rows(plan))


def _measure(
    plan: NarrationPlan,
    bench: Bench,
    source: Footage,
    clip: "Clip",
    cutting: Cutting,
    narrating: "Narrating",
) -> None:
    """Time one clip, from a probe of one frame."""
    from vidcli.media.plan import plan_uniform
    from vidcli.methods.ask import Question
    from vidcli.methods.estimate import estimate

    question = Question(narrating.question, sampling=narrating.sampling)
    frames = plan_uniform(source.info, clip.span, budget=cutting.frames)
    fit = fit_question(bench, source, Looking(), question, plan=frames)
    cost = estimate(source, bench.session, fit, question)
    plan.clip_s = cost.decode_s + cost.encode_s + cost.prefill_s
    plan.draw_s = cost.generate_s
    plan.warnings = fit.warnings
