"""Whole data files: which shape one has is told by its rows, and a bad row by file and number.

Shapes: LLaVA and ShareGPT, messages (LLaMA-Factory), VideoChat2, VideoInstruct, caption pairs
(jsonl, json, csv), narrations, dense captions, speech (srt, vtt, json), and mixtures of files
(yaml).
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from vidcli.errors import UsageError
from vidcli.train.data import captions, conversations
from vidcli.train.data.fields import RowError, take_map
from vidcli.train.data.mixture import read_mixture
from vidcli.train.data.sample import Sample
from vidcli.train.data.subtitles import read_subtitles

Reader = Callable[[Mapping[str, Any]], Sample]
# The first whose keys are all there reads the row.
SHAPES: tuple[tuple[str, tuple[str, ...], Reader], ...] = (
    ("LLaVA", ("conversations",), conversations.read_llava),
    ("messages", ("messages",), conversations.read_messages),
    ("VideoChat2", ("QA",), conversations.read_videochat2),
    ("VideoInstruct", ("q", "a"), conversations.read_videoinstruct),
    ("narrations", ("texts",), captions.read_narration),
    *((f"captions ({key})", (key,), captions.read_caption) for key in captions.CAPTION_KEYS),
)
SUBTITLES = (".srt", ".vtt")
MIXTURES = (".yaml", ".yml")
SUFFIXES = (".json", ".jsonl", ".csv", *SUBTITLES, *MIXTURES)


def read_data(path: Path, *, seed: int = 0, inside: tuple[Path, ...] = ()) -> list[Sample]:
    """Read a data file, a mixture of them, or every data file of a folder.

    Args:
        path: Its suffix and its rows tell what it is.
        seed: Of the random choice that a mixture may ask for.
        inside: Mixtures that it is read for, resolved, the outermost first.

    Returns:
        Samples in file order, videos as the file names them.

    Raises:
        UsageError: It cannot be read, or a row is wrong: file, row and reason are named.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not files:
            raise UsageError(f"{path} holds no data file", hint=f"looked for {', '.join(SUFFIXES)}")
        return [row for file in files for row in read_data(file, seed=seed, inside=inside)]
    if path.suffix.lower() in MIXTURES:
        within = (*inside, path.resolve())
        if within[-1] in inside:
            raise UsageError(f"{path} is a mixture that leads back to itself")
        read_part = partial(read_data, seed=seed, inside=within)
        return read_mixture(path, read_text(path), read_part, seed=seed)
    text = read_text(path)
    samples: list[Sample] = []
    wrong: list[str] = []
    for place, read in _rows(path, text):
        try:
            sample = read()
        except (RowError, ValueError) as error:
            wrong.append(f"{path}{place}: {error}")
        else:
            samples.append(replace(sample, origin=f"{path}{place}"))
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise UsageError(wrong[0] + more, hint="correct the rows, or leave them out")
    if not samples:
        raise UsageError(f"{path} holds no rows")
    return samples


def read_text(path: Path) -> str:
    """A text file in UTF-8.

    Raises:
        UsageError: It is missing, unreadable or in another encoding.
    """
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}") from error


def _rows(path: Path, text: str) -> Iterator[tuple[str, Callable[[], Sample]]]:
    """(place, reader) of every row; reading raises `RowError` where the row is wrong."""
    suffix = path.suffix.lower()
    if suffix in SUBTITLES:
        yield "", lambda: captions.speech_of(_video_of(path), read_subtitles(text))
    elif suffix == ".csv":
        for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
            yield f" row {number}", partial(_read_row, row)
    elif suffix == ".jsonl":
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                yield f" row {number}", partial(_read_line, line)
    elif suffix == ".json":
        yield from _json_rows(path, text)
    else:
        raise UsageError(
            f"{path} is of a kind that is not read as training data",
            hint=f"{', '.join(SUFFIXES)} are",
        )


def _json_rows(path: Path, text: str) -> Iterator[tuple[str, Callable[[], Sample]]]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}") from error
    if isinstance(value, list):
        for number, row in enumerate(value, start=1):
            yield f" row {number}", partial(_read_row, row)
    elif captions.is_dense(value):
        for name, row in captions.dense_rows(value):
            yield f" video {name}", partial(captions.read_dense, name, row)
    elif isinstance(value, dict) and {"start", "end", "text"} <= value.keys():
        yield "", lambda: captions.read_speech(_video_of(path), value)
    else:
        yield " row 1", lambda: _read_row(value)


def _read_line(line: str) -> Sample:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise RowError(f"it is no JSON: {error}") from error
    return _read_row(value)


def _read_row(value: Any) -> Sample:
    row = take_map(value)
    for _, keys, read in SHAPES:
        if all(key in row for key in keys):
            return read(row)
    known = ", ".join(sorted({key for _, keys, _ in SHAPES for key in keys}))
    raise RowError(
        f"its keys ({', '.join(map(str, row)) or 'none'}) are of no known shape ({known})"
    )


def _video_of(path: Path) -> str:
    """Subtitles are called as their video is: `talk.srt`, or `talk.en.srt` with a language."""
    stem = path.stem
    head, _, language = stem.rpartition(".")
    return head if head and len(language) in (2, 3) and language.isalpha() else stem
