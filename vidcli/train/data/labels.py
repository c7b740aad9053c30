"""What data files say about a video, as stretches with their texts: what `data narrate` fills."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from vidcli.core.time import Span
from vidcli.methods.windows import Label
from vidcli.train.data.sample import Sample


def to_labels(rows: Iterable[Sample], *, whole: Span | None, instant: Fraction) -> list[Label]:
    """Stretches that rows about one video speak of, in file order.

    Args:
        rows: Answers to whatever was asked count as texts; timed events each as a stretch.
        whole: The stretch of a row that names none; None leaves such rows out.
        instant: Seconds around an event that has a time and no length.
    """
    return [label for row in rows for label in _labels(row, whole, instant)]


def _labels(row: Sample, whole: Span | None, instant: Fraction) -> Iterator[Label]:
    span = row.span or whole
    if row.exchanges and span is not None:
        texts = (text for asked in row.exchanges for text in (asked.answer, *asked.others))
        yield Label(span, tuple(_one_line(text) for text in texts))
    for event in row.events:
        start, end = event.start, event.end
        if start == end:
            start, end = max(Fraction(0), start - instant / 2), end + instant / 2
        yield Label(Span(start, end), (_one_line(event.text),))


def _one_line(text: str) -> str:
    return " ".join(text.split())
