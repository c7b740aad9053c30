"""What a language model is asked to write about a video, and what is read of its replies.

Prompts, the JSON that a reply must be, and telling replies that speak of the prompt.
"""

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from vidcli.methods.context import FENCE
from vidcli.methods.sift import find_words

QUESTION_CHARS = 200  # of the longest question
SHARED_WORDS = 7  # words in a row that a text must not have from the prompts

DESCRIBE = (
    "Write a description of the video in 150 to 300 words, in the order of time, for someone who "
    "has not seen it. Say only what the lines say, and leave out what they contradict. Write about "
    "the video itself: never mention lines, captions, sources or data."
)
PAIRS = (
    "Write {count} different questions about the video, and their answers. {wish} Whoever is asked "
    "sees the video and not these lines: never mention lines, captions, sources or data. Say only "
    "what follows from the lines. Reply in JSON."
)
FOLLOWS = (
    "A question about the video and an answer are on the next line.\n{line}\n"
    "Do all facts in the answer follow from the lines above, or go well with them? "
    "Reply with yes or no."
)
ASK_DESCRIPTION = (
    "Describe the video in detail.",
    "What happens in this video? Tell it in detail, from beginning to end.",
    "Give a detailed account of everything you see in the video.",
    "Explain at length what the video shows.",
)
_LEAKS = re.compile(
    r"\bjson\b|\b(?:the|these|those|given|provided)\s+(?:lines?|captions?|transcripts?|sources?|"
    r"data|context|subtitles)\b|\bline\s+\d+\b|\blines\s+(?:above|below|say)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?。！？][\"')\]]*(?=\s|$)")


class Task(StrEnum):
    """What kind of instruction it is."""

    DESCRIPTION = "description"
    SUMMARY = "summary"
    DESCRIPTIVE = "descriptive"
    TEMPORAL = "temporal"
    REASONING = "reasoning"
    CREATIVE = "creative"
    YES_NO = "yes-no"


WISHES = {
    Task.SUMMARY: "Every question asks for a short summary of the video or of a part of it.",
    Task.DESCRIPTIVE: "Ask about people, things, places, looks and actions.",
    Task.TEMPORAL: "Ask what comes before or after something, in which order, how long or when.",
    Task.REASONING: "Ask why or how something happens, where the video tells.",
    Task.CREATIVE: "Ask for something made from the video, such as a title, a slogan or a story.",
    Task.YES_NO: "Every question is answered by Yes or No; about half of them by No.",
}


def whole_sentences(text: str) -> str:
    """A text up to the end of its last whole sentence; empty where it has none."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else ""


def pairs_schema(task: Task, *, count: int, answer_chars: int) -> dict[str, Any]:
    """JSON Schema of a reply with `count` questions and answers of one kind."""
    text = {"type": "string", "minLength": 1}
    question = {**text, "maxLength": min(QUESTION_CHARS, answer_chars)}
    answer: dict[str, Any] = {**text, "maxLength": answer_chars}
    if task is Task.YES_NO:
        answer = {"enum": ["Yes", "No"]}
    pair = {
        "type": "object",
        "properties": {"question": question, "answer": answer},
        "required": ["question", "answer"],
    }
    pairs = {"type": "array", "items": pair, "minItems": count, "maxItems": count}
    return {"type": "object", "properties": {"pairs": pairs}, "required": ["pairs"]}


def read_pairs(text: str) -> tuple[list[tuple[str, str]], bool]:
    """Questions and answers of a reply, and whether it was cut before its end.

    Args:
        text: JSON, or the beginning of it: whole pairs are read.
    """
    pairs: list[tuple[str, str]] = []
    decoder, at = json.JSONDecoder(), text.find("[") + 1
    while at and (at := text.find("{", at)) >= 0:
        try:
            pair, at = decoder.raw_decode(text, at)
        except ValueError:  # the last one, half written
            break
        pairs.append((_one_line(pair["question"]), _one_line(pair["answer"])))
    return pairs, not _is_whole(text)


def _is_whole(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def leaks(text: str) -> bool:
    """Whether a text speaks of the prompt it was made with, or repeats it."""
    if _LEAKS.search(text):
        return True
    words = find_words(text)
    return any(run in _OF_PROMPTS for run in _runs(words))


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + SHARED_WORDS]) for i in range(len(words) - SHARED_WORDS + 1)]


_OF_PROMPTS = frozenset(
    run
    for prompt in (FENCE, DESCRIBE, PAIRS, FOLLOWS, *WISHES.values())
    for run in _runs(find_words(prompt))
)


def _one_line(text: str) -> str:
    return " ".join(text.split())
