"""Sets of questions, written by hand."""

import json
from pathlib import Path
from typing import Any

from vidcli.evaluate.sets import CaptionTruth, EvalQuestion, Fact

COLOURS = ("red", "green", "blue", "white")


def colour_row(number: int, answer: str = "red", **more: Any) -> dict[str, Any]:
    return {
        "id": f"{number}",
        "video": "v.mp4",
        "kind": "colour",
        "question": "What colour is it?",
        "answer": answer,
        "options": list(COLOURS),
        **more,
    }


def write_rows(folder: Path, *rows: Any) -> Path:
    text = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    (folder / "questions.jsonl").write_text(text)
    return folder


def question(
    answer: str, options: tuple[str, ...], *, reversed_answer: str = "", kind: str = "k",
    held_out: bool = False,
) -> EvalQuestion:  # fmt: skip
    return EvalQuestion(
        "1", Path("v.mp4"), kind, "?", answer, options, reversed_answer or answer, held_out
    )


def caption(*facts: tuple[int, str, str, str | None], **more: Any) -> EvalQuestion:
    truth = CaptionTruth(tuple(Fact(*fact) for fact in facts), **more)
    return EvalQuestion("1", Path("v.mp4"), "caption", "?", "x", (), "x", False, truth)
