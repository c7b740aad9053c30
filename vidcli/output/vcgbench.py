"""What `vidcli eval vcgbench` found, as rows of a table and as a document."""

from collections.abc import Mapping, Sequence

from vidcli.evaluate.vcgbench import AspectScore
from vidcli.output.documents import Document, head

LABEL = "not comparable with GPT-3.5 scores"
DIGITS = 12  # of the judge's digest, where a person reads it


def name_judge(judge: str, sha256: str) -> str:
    """Who scored, and what that is worth, in a sentence."""
    return f"judged by {judge} ({sha256[:DIGITS]}) at temperature 0: {LABEL}"


def aspect_table(scores: Sequence[AspectScore]) -> tuple[list[str], list[list[str]]]:
    """Columns, and a row for each aspect and for their mean."""
    rows = [
        [
            score.aspect.value,
            str(len(score.scores)),
            _figure(score.mean),
            "-".join(_figure(end) for end in score.interval or ()),
        ]
        for score in scores
    ]
    mean = ["mean of aspects", "", _figure(mean_of(scores)), ""]
    return ["aspect", "n", "score of 5", "95 %"], [*rows, mean]


def mean_of(scores: Sequence[AspectScore]) -> float | None:
    """Mean of the aspects' means; None of nothing."""
    found = [score.mean for score in scores if score.mean is not None]
    return sum(found) / len(found) if found else None


def vcgbench_document(
    scores: Sequence[AspectScore],
    *,
    files: Mapping[str, str | None],
    shown: str,
    model: Mapping[str, object],
    judge: Mapping[str, object],
    settings: Mapping[str, object],
    failed: int,
    predictions: str,
    warnings: Sequence[str],
) -> Document:
    """The document `vcgbench`."""
    mean = mean_of(scores)
    return {
        "schema": head("vcgbench"),
        "files": dict(files),
        "shown": shown,
        "model": dict(model),
        "judge": {**judge, "temperature": 0, "label": LABEL},
        "settings": dict(settings),
        "aspects": [_entry(score) for score in scores],
        "mean_score": None if mean is None else round(mean, 4),
        "failed_videos": failed,
        "predictions": predictions,
        "warnings": list(warnings),
    }


def _entry(score: AspectScore) -> Document:
    interval = score.interval
    return {
        "aspect": score.aspect.value,
        "n": len(score.scores),
        "score": None if score.mean is None else round(score.mean, 4),
        "interval_95": None if interval is None else [round(end, 4) for end in interval],
    }


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
