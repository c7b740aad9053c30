"""Rows of questions and answers: LLaVA, messages, VideoChat2, VideoInstruct.

A reader takes one decoded row and returns a sample, or raises `RowError` with the reason. Where the
marker of the video stands in the text does not matter: `ask` puts the video first, and so does
training.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vidcli.train.data.fields import RowError, read_span, take_list, take_map, take_text
from vidcli.train.data.sample import Exchange, Sample

MARKER = re.compile(r"\s*<(?:video|image|vid|img)>\s*")
USER, MODEL = ("human", "user"), ("gpt", "assistant", "model")


def read_llava(row: Mapping[str, Any]) -> Sample:
    """`{"video", "conversations": [{"from": "human", "value"}, {"from": "gpt", "value"}…]}`."""
    video = take_text(row, "video" if "video" in row else "image")
    turns = [
        (take_text(turn, "from"), take_text(turn, "value"))
        for turn in map(take_map, take_list(row, "conversations"))
    ]
    system, exchanges = pair_turns(turns)
    return Sample(video, exchanges, system, read_span(row))


def read_messages(row: Mapping[str, Any]) -> Sample:
    """`{"messages": [{"role", "content"}…], "videos": [path]}`; content may be a list of parts."""
    names = take_list(row, "videos" if "videos" in row else "images")
    if len(names) != 1:
        raise RowError(f"it names {len(names)} videos, and a sample is about one")
    turns = [
        (take_text(turn, "role"), _read_content(turn.get("content")))
        for turn in map(take_map, take_list(row, "messages"))
    ]
    system, exchanges = pair_turns(turns)
    return Sample(take_text({"videos": names[0]}, "videos"), exchanges, system, read_span(row))


def _read_content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, Mapping) for part in content):
        return "\n".join(str(part["text"]) for part in content if "text" in part)
    raise RowError("a message's 'content' is neither text nor a list of parts")


def read_videochat2(row: Mapping[str, Any]) -> Sample:
    """`{"video", "QA": [{"i", "q", "a"}…], "start", "end"}`; `i` is an instruction or empty."""
    exchanges = []
    for turn in map(take_map, take_list(row, "QA")):
        instruction = str(turn.get("i") or "").strip()
        question = take_text(turn, "q") if turn.get("q") or not instruction else ""
        text = "\n".join(part for part in (instruction, _strip(question)) if part)
        exchanges.append(_exchange(text, take_text(turn, "a")))
    return Sample(take_text(row, "video"), tuple(exchanges), "", read_span(row))


def read_videoinstruct(row: Mapping[str, Any]) -> Sample:
    """`{"q", "a", "video_id"}`; the file's extension is not told."""
    exchange = _exchange(_strip(take_text(row, "q")), take_text(row, "a"))
    return Sample(take_text(row, "video_id"), (exchange,))


def pair_turns(turns: Sequence[tuple[str, str]]) -> tuple[str, tuple[Exchange, ...]]:
    """The system text and the exchanges of (role, text) turns.

    Raises:
        RowError: Roles are unknown or do not alternate, or the last question has no answer.
    """
    system, asked, exchanges = "", "", []
    for number, (role, raw) in enumerate(turns, start=1):
        text = _strip(raw)
        if role == "system" and number == 1:
            system = text
        elif role in USER and not asked:
            asked = text
            if not asked:
                raise RowError(f"turn {number} asks nothing")
        elif role in MODEL and asked:
            exchanges.append(_exchange(asked, text))
            asked = ""
        elif role in (*USER, *MODEL, "system"):
            raise RowError(f"turn {number} is of {role!r}, out of turn")
        else:
            raise RowError(f"turn {number} has the unknown role {role!r}")
    if asked:
        raise RowError("the last question has no answer")
    if not exchanges:
        raise RowError("it has no question and answer")
    return system, tuple(exchanges)


def _exchange(question: str, answer: str) -> Exchange:
    try:
        return Exchange(question, answer.strip())
    except ValueError as error:
        raise RowError(str(error)) from error


def _strip(text: str) -> str:
    return MARKER.sub("\n", text).strip()
