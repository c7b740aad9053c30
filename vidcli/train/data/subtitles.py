"""SRT and WebVTT: lines of speech with their times."""

import re
from collections.abc import Iterator

from vidcli.train.data.captions import make_event
from vidcli.train.data.fields import RowError
from vidcli.train.data.sample import Event

_TIME = r"((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})"
_CUE = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}")
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def read_subtitles(text: str) -> tuple[Event, ...]:
    """The cues of an SRT or WebVTT file, tags taken off, empty ones left out.

    Raises:
        RowError: A cue's times are wrong, or there is no cue at all.
    """
    events = []
    for number, block in enumerate(_blocks(text), start=1):
        lines = block.splitlines()
        at = next((i for i, line in enumerate(lines) if "-->" in line), None)
        if at is None:
            continue  # a note, a style, the header
        found = _CUE.match(lines[at])
        if found is None:
            raise RowError(f"cue {number} has no times that can be read: {lines[at].strip()!r}")
        said = " ".join(_TAG.sub("", " ".join(lines[at + 1 :])).split())
        if said:
            start, end = (time.replace(",", ".") for time in found.groups())
            events.append(make_event(start, end, said))
    if not events:
        raise RowError("it holds no subtitles")
    return tuple(events)


def _blocks(text: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", text.lstrip("\ufeff").replace("\r\n", "\n")):
        if block.strip():
            yield block
