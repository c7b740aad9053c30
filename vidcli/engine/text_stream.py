"""From token bytes to text worth showing: whole characters, stop texts, an end to loops."""

import codecs

SAME_LINES = 3  # identical lines in a row that count as a loop
CYCLES = 4  # repetitions of a stretch within a line, or of several lines…
CYCLE_CHARS = 240  # …that are at least this long in all
WINDOW = 1600  # characters looked back over: the longest cycle found is a fourth of it
STRIDE = 32  # characters between two looks, counted from the start so that splits don't matter


class Utf8Stream:
    """Turns token pieces into text, whatever way characters are split over them.

    Characters come out whole, bytes that are no UTF-8 as U+FFFD, and nothing that may still turn
    out to begin a stop text comes out before that is known. The text ends at the stop text that is
    complete first; the stop text itself is not given out.

    Args:
        stop: Texts that end the answer; empty ones are ignored.
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._stops = tuple(text for text in stop if text)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether a stop text was met; from then on nothing more comes out."""
        return self._stopped

    def feed(self, piece: bytes) -> str:
        """Take the bytes of the next token; returns the text that is now certain."""
        return self._take(self._decoder.decode(piece))

    def flush(self) -> str:
        """Text still held back, at the end of the answer; half a character becomes U+FFFD."""
        text = self._take(self._decoder.decode(b"", final=True)) + self._held
        self._held = ""
        return text

    def _take(self, text: str) -> str:
        if self._stopped:
            return ""
        text = self._held + text
        end = self._find_stop(text)
        if end is not None:
            self._stopped = True
            self._held = ""
            return text[:end]
        certain = len(text) - self._beginning_of_stop(text)
        self._held = text[certain:]
        return text[:certain]

    def _find_stop(self, text: str) -> int | None:
        """Where the stop text that is complete first starts; the longest of several."""
        found = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        return min(found)[1] if found else None

    def _beginning_of_stop(self, text: str) -> int:
        """Characters at the end of `text` that may begin a stop text."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(text)), 0, -1):
            if any(stop.startswith(text[-length:]) for stop in self._stops):
                return length
        return 0


class LoopGuard:
    """Notices a model that says the same thing again and again.

    A loop is the same line `SAME_LINES` times in a row (blank lines between them do not count, nor
    do lines without a letter or digit), or any stretch that comes `CYCLES` times in a row and
    fills `CYCLE_CHARS`. The verdict depends on the text alone, not on how it was split.
    """

    def __init__(self) -> None:
        self._text = ""
        self._looked = 0
        self._line_start = 0
        self._line, self._line_end, self._line_count = "", 0, 0
        self._cut: int | None = None
        self._note: str | None = None

    @property
    def cut(self) -> int | None:
        """How many characters of all that was fed are worth keeping: the loop once; None for all.

        Set once a loop was found.
        """
        return self._cut

    def feed(self, text: str) -> str | None:
        """Take the next piece of the answer; returns a note for the user once it loops."""
        self._text += text
        while self._note is None and self._looked < len(self._text):
            self._looked += 1
            if self._text[self._looked - 1] == "\n":
                self._look_at_line()
            if self._note is None and self._looked % STRIDE == 0:
                self._look_for_cycle()
        return self._note

    def _look_at_line(self) -> None:
        start, end = self._line_start, self._looked - 1
        self._line_start = self._looked
        line = self._text[start:end].rstrip()
        if not line:
            return
        if line != self._line:
            self._line, self._line_end, self._line_count = line, start + len(line), 0
        self._line_count += 1
        if self._line_count >= SAME_LINES and any(letter.isalnum() for letter in line):
            self._found(self._line_end, line)

    def _look_for_cycle(self) -> None:
        window = self._text[max(self._looked - WINDOW, 0) : self._looked]
        length, period = _longest_cycle(window[::-1])
        if length:
            start = self._looked - length
            self._found(start + period, self._text[start : start + period])

    def _found(self, cut: int, repeated: str) -> None:
        self._cut = len(self._text[:cut].rstrip())
        shown = " ".join(repeated.split())
        shown = shown if len(shown) <= 40 else f"{shown[:39]}…"
        self._note = f"stopped: the model kept repeating “{shown}”"


def _longest_cycle(text: str) -> tuple[int, int]:
    """Longest start of `text` that is a cycle, and the cycle's period; (0, 0) where there is none.

    A start of length m has period m - b, b being its longest proper border (Knuth-Morris-Pratt).
    """
    borders = [0] * len(text)
    found, border = (0, 0), 0
    for end in range(1, len(text)):
        while border and text[end] != text[border]:
            border = borders[border - 1]
        border += text[end] == text[border]
        borders[end] = border
        length, period = end + 1, end + 1 - border
        if length >= max(CYCLE_CHARS, CYCLES * period):
            found = length, period
    return found
