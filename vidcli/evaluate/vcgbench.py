"""VCGBench: free answers about videos, scored 0 to 5 in five aspects by a language model.

Three files, as Video-ChatGPT published them: general questions (correctness, detail, context),
temporal ones, and pairs of wordings of one question (consistency). Rows are `{Q, A, video_name}`,
of pairs `{Q1, Q2, A, video_name}`; the video's extension is left out.

Source: Video-ChatGPT (arXiv:2306.05424) section 4.1. There the judge is GPT-3.5; scores of another
one are not comparable with those published.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from vidcli.errors import MediaError, UsageError
from vidcli.evaluate.metrics import Z_95
from vidcli.evaluate.sets import EvalQuestion

NAME = "vcgbench"
SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".gif")
TOP = 5  # the best score


class Aspect(StrEnum):
    """What of an answer is scored."""

    CORRECTNESS = "correctness"
    DETAIL = "detail"
    CONTEXT = "context"
    TEMPORAL = "temporal"
    CONSISTENCY = "consistency"


@dataclass(frozen=True, slots=True)
class Case:
    """What is scored once: one question, or two wordings of it.

    Attributes:
        aspect: Of which it is an example.
        questions: One, or two wordings; their `answer` is the reference.
    """

    aspect: Aspect
    questions: tuple[EvalQuestion, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """The benchmark's files; a file that is not given leaves its aspects out.

    Attributes:
        general: Of correctness, detail and context.
        temporal: Of the aspect of that name.
        consistency: Pairs of wordings.
    """

    general: Path | None = None
    temporal: Path | None = None
    consistency: Path | None = None


# Of each file: the aspects that its answers are scored in, and the keys of its questions.
ROLES: dict[str, tuple[tuple[Aspect, ...], tuple[str, ...]]] = {
    "general": ((Aspect.CORRECTNESS, Aspect.DETAIL, Aspect.CONTEXT), ("Q",)),
    "temporal": ((Aspect.TEMPORAL,), ("Q",)),
    "consistency": ((Aspect.CONSISTENCY,), ("Q1", "Q2")),
}


@dataclass(frozen=True, slots=True)
class AspectScore:
    """The scores of one aspect.

    Attributes:
        aspect: Which.
        scores: 0 to 5, one a case.
    """

    aspect: Aspect
    scores: tuple[int, ...]

    @property
    def mean(self) -> float | None:
        """Of the scores; None of nothing."""
        return sum(self.scores) / len(self.scores) if self.scores else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true mean lies, 95 times of 100; None of fewer than two scores."""
        n, mean = len(self.scores), self.mean
        if n < 2 or mean is None:
            return None
        error = math.sqrt(sum((score - mean) ** 2 for score in self.scores) / (n - 1) / n)
        return max(0.0, mean - Z_95 * error), min(float(TOP), mean + Z_95 * error)


def read_cases(files: Files, videos: Path | None, *, limit: int = 0) -> list[Case]:
    """All cases of the files that are given, aspect by aspect.

    Args:
        files: At least one of them.
        videos: Folder of the videos; each file's own otherwise.
        limit: Rows of each file, at most; 0 takes all.

    Raises:
        UsageError: A file cannot be read, a row is wrong, or there is nothing to read.
        MediaError: A video is not there.
    """
    cases: list[Case] = []
    for role, (aspects, names) in ROLES.items():
        path: Path | None = getattr(files, role)
        if path is None:
            continue
        rows = [
            _read_row(
                role,
                names,
                row,
                where=f"{path}, row {number}",
                n=number,
                videos=videos or path.parent,
            )
            for number, row in enumerate(_read_list(path)[: limit or None], start=1)
        ]
        cases += [Case(aspect, questions) for aspect in aspects for questions in rows]
    if not cases:
        raise UsageError("there is no question to ask", hint="--data FILE names general questions")
    return cases


def list_questions(cases: Sequence[Case]) -> list[EvalQuestion]:
    """Every question once; those of one video stand together."""
    found = {question.id: question for case in cases for question in case.questions}
    order = {video: n for n, video in enumerate(dict.fromkeys(q.video for q in found.values()))}
    return sorted(found.values(), key=lambda question: order[question.video])


def score_aspects(scored: Sequence[tuple[Case, int]]) -> list[AspectScore]:
    """Scores by aspect, in the benchmark's order; aspects without a case are left out."""
    by_aspect = {
        aspect: tuple(score for case, score in scored if case.aspect is aspect) for aspect in Aspect
    }
    return [AspectScore(aspect, scores) for aspect, scores in by_aspect.items() if scores]


def doubt_judge(scored: Sequence[tuple[Case, int]]) -> tuple[str, ...]:
    """A sentence where the judge told nothing apart; nothing where it did."""
    scores = {score for _, score in scored}
    if len(scored) < 2 or len(scores) > 1:
        return ()
    return (
        f"the judge gave all {len(scored)} cases the score {scores.pop()}: it may not be able to"
        " judge, and the scores tell nothing",
    )


def _read_list(path: Path) -> list[Any]:
    try:
        rows = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not isinstance(rows, list):
        raise UsageError(f"{path} is no list of questions")
    return rows


def _read_row(
    role: str, names: Sequence[str], row: Any, *, where: str, n: int, videos: Path
) -> tuple[EvalQuestion, ...]:
    if not isinstance(row, dict):
        raise UsageError(f"{where}: it is no JSON object")
    for name in (*names, "A", "video_name"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise UsageError(f"{where}: {name!r} is missing or no text")
    video = _find(row["video_name"], videos)
    if video is None:
        raise MediaError(
            f"{where}: there is no video {row['video_name']} in {videos}",
            hint="name the folder of the videos with --videos",
        )
    answer = row["A"].strip()
    return tuple(
        EvalQuestion(
            f"{role} {n} {name}", video, role, row[name].strip(), answer, (), answer,
            is_held_out=False,
        )
        for name in names
    )  # fmt: skip


def _find(name: str, folder: Path) -> Path | None:
    path = folder / name
    named = (path, *(Path(f"{path}{suffix}") for suffix in SUFFIXES))
    return next((found for found in named if found.is_file()), None)
