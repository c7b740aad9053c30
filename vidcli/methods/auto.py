"""Which method `--method auto` takes: a table, read from the top; the first row that holds counts.

`docs/methods.md` shows the same table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

SHORT_S = 30
LONG_S = 600


@dataclass(frozen=True, slots=True)
class Situation:
    """What the choice depends on.

    Attributes:
        length: Seconds of the part that is looked at.
        has_moment: Whether `--at` names a moment.
        has_frames: Whether the frames, or the rule for them, are chosen already.
        cites: Whether the answer is to cite frames.
        describes: Whether the whole video is to be described.
        is_fit: Whether the model can be shown other visual tokens than its own.
        is_taught: Whether the model was taught with an arrangement of its own.
        holds_all: Whether the context holds every frame that `uniform` plans.
    """

    length: Fraction
    has_moment: bool = False
    has_frames: bool = False
    cites: bool = False
    describes: bool = False
    is_fit: bool = True
    is_taught: bool = False
    holds_all: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: when it holds, in words and in code, and the method then."""

    when: str
    method: str
    holds: Callable[[Situation], bool]


RULES = (
    Rule("--at names a moment", "memory", lambda now: now.has_moment),
    Rule("the frames are chosen already", "uniform", lambda now: now.has_frames),
    Rule("it lasts at most 30 s", "uniform", lambda now: now.length <= SHORT_S),
    Rule("the answer is to cite frames", "uniform", lambda now: now.cites),
    Rule("the model was taught with its own arrangement", "uniform", lambda now: now.is_taught),
    Rule("the model takes no visual tokens but its own", "uniform", lambda now: not now.is_fit),
    Rule("the context holds all planned frames", "uniform", lambda now: now.holds_all),
    Rule(
        "over 10 minutes are to be described, and the context does not hold all planned frames",
        "memory",
        lambda now: now.describes and now.length > LONG_S,
    ),
    Rule("the context does not hold all planned frames", "slowfast", lambda _now: True),
)


def choose(now: Situation) -> Rule:
    """The first row that holds; the last one always does."""
    return next(rule for rule in RULES if rule.holds(now))
