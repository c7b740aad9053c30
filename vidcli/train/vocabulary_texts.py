"""The texts that a new tokenizer is learnt from: the samples, and the words around frames."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from vidcli.engine.profiles import choose_profile
from vidcli.methods.compose import write_intro
from vidcli.train.data.sample import Sample

AROUND = 64  # prompts, so that their words become tokens whatever the samples say
TURNS = "User: Assistant: "


def texts_of(samples: Sequence[Sample]) -> Iterator[str]:
    """Questions, answers and events of samples, and what the family writes around frames."""
    profile = choose_profile("idefics3")
    for n in range(1, AROUND + 1):
        times = [Fraction(second) for second in range(n)]
        yield TURNS + write_intro(profile, times, duration=Fraction(n))
        yield profile.label.format(time=f"00:{n % 60:02d}", seconds=f"{n}.0", id=n)
    for sample in samples:
        for exchange in sample.exchanges:
            yield from (f" {text}" for text in (exchange.question, exchange.answer))
            yield from (f" {text}" for text in exchange.others)
        yield from (f" {event.text}" for event in sample.events)
