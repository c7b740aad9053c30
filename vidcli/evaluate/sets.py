"""Reading a set of questions: `questions.jsonl` beside the videos it is about."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidcli.core.time import Span
from vidcli.errors import UsageError

FILE = "questions.jsonl"
CAPTION = "caption"
HELD_OUT = "held out"


@dataclass(frozen=True, slots=True)
class Fact:
    """Objects that a caption must tell of; `motion` is None where none need be told."""

    count: int
    colour: str
    object: str
    motion: str | None


@dataclass(frozen=True, slots=True)
class CaptionTruth:
    """What a right caption says.

    Attributes:
        facts: Of each group of objects.
        is_ordered: Whether they must come in this order.
        word: The word or number on the screen.
        phrases: What else must be said, in these words.
    """

    facts: tuple[Fact, ...]
    is_ordered: bool = False
    word: str | None = None
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvalQuestion:
    """A question of a set.

    Attributes:
        id: Names it in the set.
        video: Path of its video.
        kind: Groups questions that are reported together.
        text: What is asked.
        answer: The right one; of a caption, one that would do.
        options: What may be answered; empty for captions.
        reversed_answer: The right answer when the video runs backwards.
        is_held_out: Whether its wording was kept from training.
        truth: What a caption is judged by.
        is_closed: Whether the options are told, and the likeliest is the reply.
        span: The part of the video it is about; None for all of it.
    """

    id: str
    video: Path
    kind: str
    text: str
    answer: str
    options: tuple[str, ...]
    reversed_answer: str
    is_held_out: bool
    truth: CaptionTruth | None = None
    is_closed: bool = False
    span: Span | None = None


def read_set(folder: Path) -> list[EvalQuestion]:
    """All questions of a set, in the order of its file.

    Raises:
        UsageError: There is no set, a row is not as it should be, or an id occurs twice.
    """
    path = folder / FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise UsageError(
            f"{folder} holds no {FILE}",
            hint=f"'vidcli data synth --out {folder} --clips 200 --split eval' makes a set",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    questions = list(_read_rows(path, lines))
    if not questions:
        raise UsageError(f"{path} holds no question")
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise UsageError(f"{path} holds the id {question.id!r} twice")
        seen.add(question.id)
    return questions


def limit_each(questions: list[EvalQuestion], most: int) -> list[EvalQuestion]:
    """The first `most` questions of each kind; all of them where it is 0."""
    taken: dict[str, int] = {}
    kept = []
    for question in questions:
        taken[question.kind] = taken.get(question.kind, 0) + 1
        if not most or taken[question.kind] <= most:
            kept.append(question)
    return kept


def _read_rows(path: Path, lines: list[str]) -> Iterator[EvalQuestion]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _read_row(path.parent, json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise UsageError(f"{path}, row {number}: {reason}") from error


def _read_row(folder: Path, row: Any) -> EvalQuestion:
    if not isinstance(row, dict):
        raise TypeError("it is no JSON object")
    texts = {name: _text(row, name) for name in ("id", "video", "kind", "question", "answer")}
    options = row.get("options") or []
    if not (isinstance(options, list) and all(isinstance(option, str) for option in options)):
        raise TypeError("'options' is no list of texts")
    truth = _read_truth(row) if "facts" in row else None
    if truth is None and texts["answer"] not in options:
        raise ValueError(f"the answer {texts['answer']!r} is none of the options")
    return EvalQuestion(
        texts["id"], folder / texts["video"], texts["kind"], texts["question"], texts["answer"],
        tuple(options), row.get("reversed") or texts["answer"],
        row.get("wording") == HELD_OUT, truth,
    )  # fmt: skip


def _read_truth(row: dict[str, Any]) -> CaptionTruth:
    facts = tuple(
        Fact(int(fact["count"]), fact["colour"], fact["object"], fact.get("motion"))
        for fact in row["facts"]
    )
    return CaptionTruth(
        facts, bool(row.get("ordered")), row.get("word"), tuple(row.get("phrases") or ())
    )


def _text(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if not (isinstance(value, str) and value.strip()):
        raise TypeError(f"{name!r} is no text")
    return value
