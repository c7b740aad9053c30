"""Reports of what is shown and said, as one line each would make them."""

from fractions import Fraction

from tests.output.results import make_answer
from vidcli.core.media import Coverage
from vidcli.core.screen import ScreenLine, ScreenReport, ScreenText, TextPlace
from vidcli.core.speech import Cue, SpeechKind, Transcript, Word
from vidcli.core.time import Span

WHOLE = Span(Fraction(0), Fraction(2))


def make_transcript(*texts: str) -> Transcript:
    """A cue a second, each of one word."""
    cues = []
    for number, text in enumerate(texts or ("Hello",)):
        span = Span(Fraction(number), Fraction(number + 1))
        cues.append(Cue(span, text, (Word(span, text, 0.9),)))
    return Transcript(SpeechKind.WHISPER, "base", "en", tuple(cues), language_probability=0.8)


def make_screen(*texts: str) -> ScreenReport:
    """A text a second, each of as many lines as it has."""
    corners = ((10.0, 10.0), (50.0, 10.0), (50.0, 20.0), (10.0, 20.0))
    found = tuple(
        ScreenText(
            Span(Fraction(number), Fraction(number + 1)),
            tuple(ScreenLine(line, TextPlace(corners), 0.9) for line in text.split("\n")),
        )
        for number, text in enumerate(texts or ("Hello\nthere",))
    )
    return ScreenReport(
        video=make_answer().video,
        texts=found,
        step=Fraction(1),
        coverage=Coverage(WHOLE, 2, WHOLE),
        n_read=1,
        n_left_out=1,
        reader="RapidOCR",
        warnings=("x",),
    )
