"""Lines of text followed from one look to the next: which of them is the one seen before.

Pure: no picture is looked at. A line that is being typed stays one line, and so does one that
scrolls. A number that changes is another line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from vidcli.core.screen import ScreenLine, TextPlace

ALIKE = 0.6  # of its letters that a line in the same place keeps from one look to the next
MOVED = 0.85  # of those that a line in another place keeps
LEAST_MOVED = 4  # letters; shorter lines are told apart by their place
FORGIVEN = 2  # looks at which a reader may miss a line that is there
_LETTERS = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class Track:
    """One line of text, over all looks at which it was seen.

    Attributes:
        first: Number of the look at which it was first seen.
        last: Number of the one at which it was last seen.
        readings: What was read, each with how many looks it stood.
    """

    first: int
    last: int
    readings: list[tuple[ScreenLine, int]] = field(default_factory=list)

    @property
    def latest(self) -> ScreenLine:
        """As it was last read."""
        return self.readings[-1][0]

    @property
    def earliest(self) -> ScreenLine:
        """As it was first read."""
        return self.readings[0][0]

    def see(self, look: int, line: ScreenLine) -> None:
        """It was seen again."""
        self.last = look
        known, times = self.readings[-1]
        if known.text == line.text and known.place == line.place:
            self.readings[-1] = (known, times + 1)
        else:
            self.readings.append((line, 1))

    def choose(self) -> ScreenLine:
        """The reading that stood longest of those that no later one only goes on with."""
        texts = [line.text for line, _ in self.readings]
        stood: dict[str, tuple[int, float]] = {}
        for line, times in self.readings:
            if any(other != line.text and _goes_on(line.text, other) for other in texts):
                continue
            seen, sure = stood.get(line.text, (0, 0.0))
            stood[line.text] = (seen + times, max(sure, line.confidence))
        text = max(stood, key=lambda text: stood[text])
        line = next(line for line, _ in reversed(self.readings) if line.text == text)
        return ScreenLine(text, line.place, stood[text][1])


class Follower:
    """Follows lines through looks, given in order.

    Attributes:
        tracks: Every line so far, in the order of their first look.
    """

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._open: list[Track] = []
        self._look = -1

    def stand(self, look: int) -> None:
        """Nothing has changed at this look: what was seen at the one before is seen again."""
        for track in self._open:
            if track.last == self._look:
                track.see(look, track.latest)
        self._look = look

    def follow(self, look: int, lines: Sequence[ScreenLine]) -> None:
        """These are the lines of this look."""
        self._open = [track for track in self._open if look - track.last <= FORGIVEN]
        pairs = sorted(
            (
                (likeness, -number, -place)
                for number, track in enumerate(self._open)
                for place, line in enumerate(lines)
                if (likeness := compare(track.latest, line)) > 0
            ),
            reverse=True,
        )
        tracks, taken = set(range(len(self._open))), set(range(len(lines)))
        for _, number, place in pairs:
            if -number in tracks and -place in taken:
                tracks.discard(-number)
                taken.discard(-place)
                self._open[-number].see(look, lines[-place])
        for place in sorted(taken):
            track = Track(look, look, [(lines[place], 1)])
            self.tracks.append(track)
            self._open.append(track)
        self._look = look


def compare(before: ScreenLine, now: ScreenLine) -> float:
    """How likely two lines are one and the same, for choosing among several; 0 for not at all."""
    is_there = overlap(before.place, now.place) > 0
    if before.text == now.text:
        return 3.0 if is_there else 2.0 if len(now.text) >= LEAST_MOVED else 0.0
    if is_there and (_goes_on(before.text, now.text) or _goes_on(now.text, before.text)):
        return 1.5
    one, other = plain(before.text), plain(now.text)
    if _DIGITS.findall(one) != _DIGITS.findall(other):
        return 0.0
    likeness = SequenceMatcher(None, one, other, autojunk=False).ratio()
    if is_there:
        return likeness if likeness >= ALIKE else 0.0
    return likeness / 2 if likeness >= MOVED and len(one) >= LEAST_MOVED else 0.0


def overlap(one: TextPlace, other: TextPlace) -> float:
    """The part of the smaller line that both cover, 0 to 1."""
    left, top, right, bottom = one.box
    left2, top2, right2, bottom2 = other.box
    width = min(right, right2) - max(left, left2)
    height = min(bottom, bottom2) - max(top, top2)
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((right - left) * (bottom - top), (right2 - left2) * (bottom2 - top2))
    return width * height / smaller if smaller > 0 else 0.0


def plain(text: str) -> str:
    """Letters and digits alone, in one case: what readers agree on."""
    return _LETTERS.sub("", text.casefold()) or text


def _goes_on(text: str, longer: str) -> bool:
    """Whether a text is the beginning of a longer one."""
    ways = ((plain(text), plain(longer)), (_squeeze(text), _squeeze(longer)))
    return any(len(long) > len(begin) and long.startswith(begin) for begin, long in ways)


def _squeeze(text: str) -> str:
    """A text without its spaces, of which readers see more or fewer."""
    return "".join(text.casefold().split())
