"""What `vidcli eval` found: scores of each run, as rows of a table and as a document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vidcli.evaluate.metrics import KindScore, Share, judge, score_kinds
from vidcli.evaluate.predictions import Prediction
from vidcli.evaluate.sets import EvalQuestion
from vidcli.output.documents import Document, head

REVERSED = "reversed"  # the mode in which videos run backwards


@dataclass(frozen=True, slots=True)
class RunScore:
    """How one run went.

    Attributes:
        mode: What the model was shown.
        kinds: Scores by kind of question.
        questions: How many were answered.
        failed: Videos that could not be asked about.
        seconds_per_question: Mean wall time, the model's loading aside; None of no question.
        frames: Mean number shown.
        visual_tokens: Mean number they took.
    """

    mode: str
    kinds: tuple[KindScore, ...]
    questions: int
    failed: int
    seconds_per_question: float | None
    frames: float | None
    visual_tokens: float | None

    @property
    def mean_accuracy(self) -> float | None:
        """Mean of the accuracies of all kinds."""
        found = [kind.all.accuracy for kind in self.kinds if kind.all.accuracy is not None]
        return sum(found) / len(found) if found else None


def score_run(
    mode: str, replies: Sequence[tuple[EvalQuestion, Prediction]], *, failed: int
) -> RunScore:
    """Judge the replies of a run."""
    judged = [judge(question, prediction.reply) for question, prediction in replies]
    predictions = [prediction for _, prediction in replies]
    return RunScore(
        mode,
        tuple(sorted(score_kinds(judged), key=lambda score: score.kind)),
        len(replies),
        failed,
        _mean([prediction.seconds for prediction in predictions]),
        _mean([prediction.frames for prediction in predictions]),
        _mean([prediction.visual_tokens for prediction in predictions]),
    )


def score_table(runs: Sequence[RunScore]) -> tuple[list[str], list[list[str]]]:
    """The first run as columns and rows; of any other run, a column beside it."""
    first, *others = runs
    columns = ["kind", "n", "right %", "95 %", "guessing"]
    columns += [f"{run.mode} %" for run in others]
    turned = next((run for run in runs if run.mode == REVERSED), None)
    columns += ["answer of reversed %"] if turned else []
    columns += ["new wordings %", "no answer"]
    rows = [
        [
            *_figures(kind),
            *(_percent(_accuracy(run, kind.kind)) for run in others),
            *([_percent(_turned(turned, kind.kind))] if turned else []),
            _percent(kind.held_out.accuracy),
            str(kind.unparsed),
        ]
        for kind in first.kinds
    ]
    mean = ["mean of kinds", str(first.questions), _percent(first.mean_accuracy), "", ""]
    mean += [_percent(run.mean_accuracy) for run in others]
    return columns, [*rows, mean + [""] * (len(columns) - len(mean))]


def _figures(kind: KindScore) -> tuple[str, ...]:
    low, high = kind.all.interval or (0.0, 0.0)
    return (
        kind.kind,
        str(kind.all.n),
        _percent(kind.all.accuracy),
        f"{100 * low:.1f}-{100 * high:.1f}",
        _percent(kind.chance),
    )


def _accuracy(run: RunScore, kind: str) -> float | None:
    return next((score.all.accuracy for score in run.kinds if score.kind == kind), None)


def _turned(run: RunScore, kind: str) -> float | None:
    return next((score.reversal.accuracy for score in run.kinds if score.kind == kind), None)


def eval_document(
    folder: str,
    runs: Sequence[RunScore],
    *,
    model: str,
    digests: Mapping[str, str],
    predictions: str,
    settings: Mapping[str, object],
    warnings: Sequence[str] = (),
) -> Document:
    """The document `eval`."""
    return {
        "schema": head("eval"),
        "set": folder,
        "model": {"name": model, "sha256": dict(digests)},
        "settings": dict(settings),
        "runs": [_run_entry(run) for run in runs],
        "predictions": predictions,
        "warnings": list(warnings),
    }


def _run_entry(run: RunScore) -> Document:
    return {
        "shown": run.mode,
        "questions": run.questions,
        "failed_videos": run.failed,
        "seconds_per_question": _rounded(run.seconds_per_question),
        "mean_frames": _rounded(run.frames),
        "mean_visual_tokens": _rounded(run.visual_tokens),
        "mean_accuracy": _rounded(run.mean_accuracy),
        "kinds": [_kind_entry(kind) for kind in run.kinds],
    }


def _kind_entry(kind: KindScore) -> Document:
    return {
        "kind": kind.kind,
        **_share_entry(kind.all),
        "chance": _rounded(kind.chance),
        "no_answer": kind.unparsed,
        "trained_wordings": _share_entry(kind.trained),
        "held_out_wordings": _share_entry(kind.held_out),
        "answer_of_reversed": _share_entry(kind.reversal),
    }


def _share_entry(share: Share) -> Document:
    interval = share.interval
    return {
        "n": share.n,
        "right": share.right,
        "accuracy": _rounded(share.accuracy),
        "interval_95": None if interval is None else [round(end, 4) for end in interval],
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"
