"""How a question is worded: in vidcli's own words, alone, or as SlowFast-LLaVA or MVBench does.

`plain` is the question by itself: its options are not listed, and are scored all the same.

SlowFast-LLaVA tells the model what it sees, and begins the answer for it; options become letters.
MVBench puts closed questions in the same way, under an instruction about time.

Source: the prompts of apple/ml-slowfast-llava (arXiv:2407.15841, section 4), the first of them in
our own words; MVBench (arXiv:2311.17005), OpenGVLab/Ask-Anything, its instruction in our own words.
The conversation around them is the model's own template.
"""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vidcli.errors import UsageError

OWN, PLAIN, SLOWFAST, MVBENCH = "own", "plain", "slowfast", "mvbench"
STYLES = (OWN, PLAIN, SLOWFAST, MVBENCH)
SEEN = (
    "The input is a sequence of key frames from a video. Answer concisely, going by the content "
    "and context of the whole video."
)
EXPERT = (
    "You are a helpful expert in video analysis. Select the best option to answer the question."
)
OPENING = "In the video,"
OBSERVER = (
    "Watch the video with care: what causes what and in which order, how objects look and move, "
    "how people act and pose. Going by what you observe, select the option that answers best."
)


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


def word(style: str, text: str, choices: Sequence[str]) -> Wording:
    """A question in published words.

    Args:
        style: `slowfast` or `mvbench`.
        text: The question.
        choices: Its options; empty for an open question.

    Raises:
        UsageError: There are more options than letters, or none where the words need some.
    """
    if choices:
        return _word_closed(style, text, choices)
    if style == MVBENCH:
        raise UsageError(
            "--prompt-style mvbench asks for one of several options",
            hint="name them with --choices, or leave out --prompt-style",
        )
    return Wording(f"{SEEN}\nQuestion: {text}", started=f"Answer: {OPENING}", said=OPENING)


def _word_closed(style: str, text: str, choices: Sequence[str]) -> Wording:
    """Options become letters, and the reply is begun before the letter."""
    if len(choices) > len(string.ascii_uppercase):
        raise UsageError(
            f"--prompt-style {style} has letters for {len(string.ascii_uppercase)} options, not "
            f"{len(choices)}",
            hint="give fewer --choices, or leave out --prompt-style",
        )
    letters = dict(zip(choices, string.ascii_uppercase, strict=False))
    options = "\n".join(f"({letter}) {choice}" for choice, letter in letters.items())
    return Wording(
        f"Question: {text}\nOptions:\n{options}\nOnly give the best option.",
        system=OBSERVER if style == MVBENCH else EXPERT,
        started="Best option:(",
        spellings={choice: (letter,) for choice, letter in letters.items()},
    )
