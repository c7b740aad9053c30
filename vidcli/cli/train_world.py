"""`train pretrain --objective dense` and `train tune --adapter whole`: on clips of the drawn world.

Clips are drawn as they are wanted, so there are no files: `--data world:SEED` names them.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcli.cli.terminal import Notes, write_document, write_out
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.cli.train_options import DataOptions, RunOptions, StepOptions
    from vidcli.train.world.runs import WorldReport

WORLD = "world:"
LR = 2e-3


def is_world(data: "DataOptions") -> bool:
    """Whether what is to be learnt from is the drawn world."""
    return any(str(path).startswith(WORLD) for path in data.data)


def pretrain_on_world(
    data: "DataOptions", run: "RunOptions", steps: "StepOptions", sizes: Path | None
) -> None:
    """Teach a new model's vision encoder what covers each patch.

    Raises:
        UsageError: It is not to begin from scratch, or not to learn from the world.
    """
    from vidcli.train.scratch import read_scratch
    from vidcli.train.world.runs import run_vision, time_vision
    from vidcli.train.world.settings import VisionConfig

    if sizes is None:
        raise UsageError(
            "--objective dense teaches a new model", hint="--from-scratch FILE names its sizes"
        )
    count = steps.batch * steps.accumulate
    config = _make(VisionConfig, data, steps, crowds=count, scenes=max(1, count // 2))
    scratch = read_scratch(sizes)
    if _tell_cost(run, config.steps, lambda: time_vision(scratch, config)):
        return
    _restart(run)
    with _progress(run) as progress:
        report = run_vision(scratch, config, run.out, progress=progress)
    _tell_report(report, json=run.json)


def tune_on_world(
    data: "DataOptions", run: "RunOptions", steps: "StepOptions", base: str | None
) -> None:
    """Teach a model whose vision encoder sees to answer.

    Raises:
        UsageError: It is not to begin from a bundle, or not to learn from the world.
        ModelError: The bundle is damaged.
    """
    from vidcli.models.bundle import read_bundle
    from vidcli.train.world.convert import read_sizes
    from vidcli.train.world.runs import run_language, time_language
    from vidcli.train.world.settings import LanguageConfig

    if base is None:
        raise UsageError(
            "name what to start from", hint="--from a bundle of 'train pretrain --objective dense'"
        )
    folder = Path(base).expanduser()
    bundle = read_bundle(folder)
    layers = read_sizes(bundle.weights, bundle.mmproj).layers
    config = _make(
        LanguageConfig,
        data,
        steps,
        clips=steps.batch * steps.accumulate,
        frames=data.frames or LanguageConfig.__dataclass_fields__["frames"].default,
        tap=max(1, layers // 2),
    )
    pair = bundle.weights, bundle.mmproj
    if _tell_cost(run, config.steps, lambda: time_language(*pair, config)):
        return
    _restart(run)
    with _progress(run) as progress:
        report = run_language(folder, config, run.out, progress=progress)
    _tell_report(report, json=run.json)


def _make(kind: Any, data: "DataOptions", steps: "StepOptions", **more: Any) -> Any:
    """The settings of a stage from the command line.

    Raises:
        UsageError: They make no sense.
    """
    if steps.steps is None:
        raise UsageError("the drawn world has no end, and so no epochs", hint="--steps 4000")
    if data.val or data.videos:
        raise UsageError("--val and --videos are for video files, not for the drawn world")
    try:
        return kind(
            seed=_read_seed(data),
            steps=steps.steps,
            lr=steps.lr or LR,
            warmup=steps.warmup,
            weight_decay=steps.weight_decay,
            eval_clips=steps.eval_samples,
            eval_steps=steps.eval_every,
            checkpoint_steps=steps.checkpoint_every or steps.steps,
            **more,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def _read_seed(data: "DataOptions") -> int:
    """The seed of `world:SEED`.

    Raises:
        UsageError: There is none, or other data beside it.
    """
    named = [str(path) for path in data.data]
    seed = named[0].removeprefix(WORLD)
    if len(named) != 1 or not named[0].startswith(WORLD) or not seed.isdecimal():
        raise UsageError(
            f"{', '.join(named)} is not the drawn world by itself", hint="--data world:1"
        )
    return int(seed)


def _tell_cost(run: "RunOptions", steps: int, time_step: Any) -> bool:
    """Say what a run takes; whether that was all that was asked for."""
    from vidcli.core.time import format_time

    if run.inspect_batch:
        raise UsageError("--inspect-batch shows samples of files, not of the drawn world")
    spent = time_step()
    line = f"{steps} steps of {spent:.2f} s, about {format_time(steps * spent)} in all"
    if run.dry_run:
        write_out(f"{line}\n")
        return True
    Notes(quiet=run.quiet).tell(line)
    return False


def _restart(run: "RunOptions") -> None:
    from vidcli.train.run import clear_run

    if run.restart:
        clear_run(run.out)


def _progress(run: "RunOptions") -> Any:
    from vidcli.output.progress import open_progress

    return open_progress(quiet=run.quiet)


def _tell_report(report: "WorldReport", *, json: bool) -> None:
    from vidcli.output.training import world_document

    if json:
        write_document(world_document(asdict(report)))
        return
    held_out = report.held_out
    if report.objective == "dense":
        lines = [
            f"{split}: kind {found['kind']:.0%}, colour {found['colour']:.0%} of the patches"
            for split, found in held_out.items()
        ]
    else:
        lines = [
            f"{kind}: {score['share']:.0%} of {score['asked']}, without frames"
            f" {held_out['blind'].get(kind, {'share': 0.0})['share']:.0%}"
            for kind, score in held_out["seen"].items()
        ]
    write_out("".join(f"{line}\n" for line in (*lines, report.folder)))
