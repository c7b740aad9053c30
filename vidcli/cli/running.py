"""One task to the videos a command line names: done, or only rehearsed."""

from contextlib import ExitStack
from functools import cache

from vidcli.cli.build import import_engine, open_bench
from vidcli.cli.folders import RunOptions, open_run
from vidcli.cli.footage import open_videos
from vidcli.cli.groups import Loading, Rehearsing, Telling
from vidcli.cli.inputs import Inputs, each_input
from vidcli.cli.keeping import Keeping
from vidcli.cli.reporting import find_place, reporting
from vidcli.cli.tally import Tally
from vidcli.cli.tasks import Task, ToolTask
from vidcli.cli.written import require_writable
from vidcli.errors import UsageError


def run_task(
    inputs: Inputs,
    task: Task,
    loading: Loading,
    telling: Telling,
    rehearsing: Rehearsing,
    keeping: Keeping,
) -> Tally:
    """Do the same with every video.

    The model is loaded when the first video proves to be one.

    Args:
        inputs: From `gather`.
        task: What is done.
        loading: Which model.
        telling: What is said, and how.
        rehearsing: Whether the work is only looked at.
        keeping: Where results go, and what is done again.

    Returns:
        How it went.

    Raises:
        VidcliError: The only video failed, or what failed would fail for every other too.
        PartialFailure: Some of several videos failed.
    """
    if rehearsing.trace is not None:
        require_writable(rehearsing.trace)
    if rehearsing.trace is not None and inputs.many:
        raise UsageError("--trace is about one video", hint="trace one video at a time")
    if rehearsing.dry_run:
        rehearse_each(inputs, task, loading, telling)
        return Tally()
    place = find_place(rehearsing, many=inputs.many)
    options = RunOptions(
        loading=loading,
        telling=telling,
        keeping=keeping,
        many=inputs.many,
        trace=rehearsing.trace,
    )
    with reporting(task, inputs, place, telling) as told, open_run(told, options) as run:
        run.work(inputs.files)
    run.raise_failures()
    return run.tally


def rehearse_each(inputs: Inputs, task: Task, loading: Loading, telling: Telling) -> None:
    """Say of every video what the work would take."""
    from vidcli.output.progress import open_progress

    if not inputs.files:
        return
    with ExitStack() as stack:
        open_video = stack.enter_context(
            open_videos(inputs.files[0].path, sound_too=task.takes_sound)
        )
        if task.needs_model:
            import_engine()
        bench_of = cache(lambda: stack.enter_context(open_bench(loading, notes=telling.notes)))

        def rehearse_one(path: str) -> None:
            source = open_video(path)
            if isinstance(task, ToolTask):
                with open_progress(quiet=telling.quiet) as progress:
                    task.rehearse_alone(source, telling, progress)
                return
            bench = bench_of()
            with open_progress(quiet=telling.quiet) as progress:
                task.rehearse(bench, source, telling, progress)

        each_input(inputs, rehearse_one, json=telling.json)
