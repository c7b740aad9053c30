"""How a question is worded for the model: in vidcli's own words, or as SlowFast-LLaVA does.

SlowFast-LLaVA tells the model what it sees, and begins the answer for it; options become letters.

Source: the prompts of apple/ml-slowfast-llava (arXiv:2407.15841, section 4), the first of them in
our own words. The conversation around them is the model's own template, there Vicuna's.
"""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vidcli.errors import UsageError

OWN, SLOWFAST = "own", "slowfast"
STYLES = (OWN, SLOWFAST)
SEEN = (
    "The input is a sequence of key frames from a video. Answer concisely, going by the content "
    "and context of the whole video."
)
EXPERT = (
    "You are a helpful expert in video analysis. Select the best option to answer the question."
)
OPENING = "In the video,"


@dataclass(frozen=True, slots=True)
class Wording:
    """A question as it is put to the model.

    Attributes:
        text: After the video.
        system: Before everything; empty for none.
        started: The beginning of the reply, put into the model's mouth.
        said: What of it is part of the answer.
        spellings: Of each option, what the model may say for it; empty for the option itself.
    """

    text: str
    system: str = ""
    started: str = ""
    said: str = ""
    spellings: Mapping[str, Sequence[str]] = field(default_factory=dict)


def word_slowfast(text: str, choices: Sequence[str]) -> Wording:
    """A question in the words of SlowFast-LLaVA.

    Raises:
        UsageError: There are more options than letters.
    """
    if not choices:
        return Wording(f"{SEEN}\nQuestion: {text}", started=f"Answer: {OPENING}", said=OPENING)
    if len(choices) > len(string.ascii_uppercase):
        raise UsageError(
            f"--prompt-style slowfast has letters for {len(string.ascii_uppercase)} options, not "
            f"{len(choices)}",
            hint="give fewer --choices, or leave out --prompt-style",
        )
    letters = dict(zip(choices, string.ascii_uppercase, strict=False))
    options = "\n".join(f"({letter}) {choice}" for choice, letter in letters.items())
    return Wording(
        f"Question: {text}\nOptions:\n{options}\nOnly give the best option.",
        system=EXPERT,
        started="Best option:(",
        spellings={choice: (letter,) for choice, letter in letters.items()},
    )
