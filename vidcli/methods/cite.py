"""Frame numbers in an answer to evidence with times: the model names ids, the code knows times."""

import re
from collections.abc import Sequence

from vidcli.core.media import Coverage
from vidcli.core.prompt import SeenFrame
from vidcli.core.results import Evidence
from vidcli.core.time import Span

INSTRUCTION = (
    "After each statement, give the numbers of the frames that show it in square brackets, "
    "like [2] or [2,3]."
)
_MARK = re.compile(r"\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]")
_SENTENCE_END = re.compile(r"[.!?\n](?=\s|$)")


def read_citations(
    text: str, frames: Sequence[SeenFrame], coverage: Coverage
) -> tuple[tuple[Evidence, ...], int]:
    """Map the citation marks of an answer to the frames they name.

    Args:
        text: An answer with marks such as `[3]` or `[3,5]`.
        frames: The frames the model was shown.
        coverage: Its span bounds the last frame's evidence.

    Returns:
        One evidence for each mark with at least one real frame, quoting the sentence before the
        mark; and how many cited ids do not exist.
    """
    by_id = {frame.id: frame for frame in frames}
    evidence, dropped, start = [], 0, 0
    for mark in _MARK.finditer(text):
        ids = [int(number) for number in mark[1].split(",")]
        real = [by_id[i] for i in dict.fromkeys(ids) if i in by_id]
        dropped += sum(i not in by_id for i in ids)
        if real:
            quote = _last_sentence(text[start : mark.start()])
            evidence.append(show_frames(real, frames, coverage, quote=quote))
        start = mark.end()
    return tuple(evidence), dropped


def show_frames(
    cited: Sequence[SeenFrame],
    frames: Sequence[SeenFrame],
    coverage: Coverage,
    *,
    quote: str = "",
) -> Evidence:
    """Evidence of some frames: from the first of them until the next seen frame after the last."""
    ordered = sorted(cited, key=lambda frame: frame.time.seconds)
    last = ordered[-1].time.seconds
    later = [frame.time.seconds for frame in frames if frame.time.seconds > last]
    end = min(later, default=max(coverage.span.end, last + ordered[-1].time.time_base))
    return Evidence(Span(ordered[0].time.seconds, end), tuple(ordered), quote)


def _last_sentence(text: str) -> str:
    """The sentence a mark closes: text after the sentence end before it, marks left out."""
    cleaned = _MARK.sub("", text).strip(" \n.,;:")
    ends = [found.end() for found in _SENTENCE_END.finditer(cleaned)]
    return cleaned[ends[-1] if ends else 0 :].strip()
