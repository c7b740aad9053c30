"""MVBench: closed questions about parts of videos, a file for each of 20 tasks.

Rows are `{video, question, candidates, answer}`, some with `start` and `end` in seconds; `answer`
is one of the candidates. A question is put with lettered options and a begun reply
(`methods.wording`), and the likeliest letter is the reply. Not here: videos that are folders of
pictures.

Source: MVBench (arXiv:2311.17005) section 4; OpenGVLab/Ask-Anything, video_chat2. There the reply
is generated and its letter read; here nothing is generated, so that no reply is unreadable.
"""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidcli.core.time import Span
from vidcli.errors import UsageError
from vidcli.evaluate.sets import EvalQuestion

NAME = "mvbench"
FRAMES = 16  # midpoints, as published


def read_mvbench(data: Path, videos: Path | None) -> list[EvalQuestion]:
    """All questions, those of one video together; the kind of a question is the name of its file.

    Args:
        data: A task's file, or the folder of them.
        videos: Folder of the videos, at any depth; that of the files otherwise.

    Raises:
        UsageError: There is no file, or a row is wrong.
    """
    files = sorted(data.glob("*.json")) if data.is_dir() else [data]
    folder = videos or (data if data.is_dir() else data.parent)
    found = [question for path in files for question in _read_file(path, _Videos(folder))]
    if not found:
        raise UsageError(f"{data} holds no question", hint="--data names the folder of JSON files")
    order = {video: n for n, video in enumerate(dict.fromkeys(q.video for q in found))}
    return sorted(found, key=lambda question: order[question.video])


class _Videos:
    """The videos of a folder, found by the ends of their paths."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_name: dict[str, list[Path]] = {}
        for path in sorted(folder.rglob("*")):
            self._by_name.setdefault(path.name, []).append(path)

    def find(self, name: str, task: str) -> Path:
        """Where a row's video is; where it should be, if it is not there.

        Raises:
            ValueError: Several videos are called so.
        """
        for direct in (self._folder / name, self._folder / task / name):
            if direct.is_file():
                return direct
        wanted = Path(name).parts
        ends = [
            path
            for path in self._by_name.get(Path(name).name, [])
            if path.parts[-len(wanted) :] == wanted and path.is_file()
        ]
        if len(ends) > 1:
            raise ValueError(f"there are several videos {name}; name a folder for each --data FILE")
        return ends[0] if ends else self._folder / name


def _read_file(path: Path, videos: _Videos) -> Iterator[EvalQuestion]:
    try:
        rows = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not isinstance(rows, list):
        raise UsageError(f"{path} is no list of questions")
    for number, row in enumerate(rows, start=1):
        try:
            yield _read_row(row, path.stem, number, videos)
        except (ValueError, TypeError) as error:
            raise UsageError(f"{path}, row {number}: {error}") from error


def _read_row(row: Any, task: str, number: int, videos: _Videos) -> EvalQuestion:
    if not isinstance(row, dict):
        raise TypeError("it is no JSON object")
    for name in ("video", "question", "answer"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise TypeError(f"{name!r} is missing or no text")
    options = row.get("candidates")
    if not (isinstance(options, list) and all(isinstance(one, str) for one in options)):
        raise TypeError("'candidates' is missing or no list of texts")
    if len(set(options)) < max(2, len(options)):
        raise ValueError("'candidates' are fewer than two, or two of them are the same")
    if row["answer"] not in options:
        raise ValueError(f"the answer {row['answer']!r} is none of the candidates")
    return EvalQuestion(
        f"{task} {number}", videos.find(row["video"], task), task, row["question"].strip(),
        row["answer"], tuple(options), row["answer"], is_held_out=False, is_closed=True,
        span=_read_span(row),
    )  # fmt: skip


def _read_span(row: dict[str, Any]) -> Span | None:
    """The part it is about; None where it is the whole video."""
    start, end = row.get("start"), row.get("end")
    if start is None and end is None:
        return None
    for value in (start, end):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError("'start' and 'end' are not both numbers")
    return Span(Fraction(str(start)), Fraction(str(end)))
