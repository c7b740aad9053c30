"""What the planner is asked, and the JSON Schemas that its replies keep to.

Strings are bounded by what a reply may take, so that a reply comes to its end.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidcli.core.agent import Observation
from vidcli.core.protocols import Tool
from vidcli.core.time import Span
from vidcli.methods.agent.planner import Wish

THOUGHT_CHARS = 160
ANSWER_CHARS = 600
STEP_CHARS = 120
WANT_CHARS = 80
STEPS_MAX = 12
CITED_MAX = 8
LEAST_CHARS = 24  # of a string, however small the context
STEP_TOKENS = 64  # of a step's numbers and marks, beside its text
MARK_TOKENS = 96  # of everything in a reply that is no text
GOAL = re.compile(
    r"\b(steps?|plan|recipes?|instructions?|instruct|how to|how do|how can|guide|procedure"
    r"|checklist|tutorial|to-?do|repeat|reproduce|recreate)\b",
    re.IGNORECASE,
)
FACT = re.compile(
    r"\s*(who|whom|whose|what|which|where|when|why|how (many|much|often|long|far|fast|old)|is|are"
    r"|am|was|were|does|did|has|have|had|will)\b",
    re.IGNORECASE,
)
ROLE = (
    "You find out something about a video for somebody. You cannot see or hear the video: tools "
    "look at it and listen to it for you, and all you know is what they found."
)


def wants_steps(question: str) -> bool:
    """Whether words ask for a plan: steps, a recipe, instructions, how to do something.

    What begins as a question about facts is none, such as "how many steps".
    """
    return GOAL.search(question) is not None and FACT.match(question) is None


@dataclass(frozen=True, slots=True)
class Asker:
    """Writes what the planner is asked about one question.

    Attributes:
        question: As the user asked it.
        span: Of the video.
        steps: Whether a plan is wanted.
        tokens: Longest reply.
    """

    question: str
    span: Span
    steps: bool
    tokens: int

    @property
    def _before(self) -> str:
        what = "goal" if self.steps else "question"
        start, end = float(self.span.start), float(self.span.end)
        return (
            f"{ROLE}\nThe video lasts from second {start:.2f} to second {end:.2f}.\n"
            f"The {what}: {self.question}"
        )

    def _chars(self, most: int, *, strings: int = 1) -> int:
        """Letters that each of so many strings may have."""
        return max(LEAST_CHARS, min(most, (self.tokens - MARK_TOKENS) // (2 * strings)))

    def answer(self) -> Wish:
        """The answer, or the plan, from what is known."""
        return self._steps() if self.steps else self._words()

    def _words(self) -> Wish:
        def schema(found: Sequence[Observation]) -> Mapping[str, Any]:
            return _object(
                {
                    "thought": _string(self._chars(THOUGHT_CHARS, strings=2)),
                    "answer": _string(self._chars(ANSWER_CHARS, strings=2)),
                    "because": _numbers([entry.number for entry in found]),
                }
            )

        return Wish(
            "answer",
            self._before,
            "Answer the question from these lines. Reply with JSON: a thought, the answer in one "
            "or two sentences, and the numbers n of the lines it rests on.",
            schema,
        )

    def _steps(self) -> Wish:
        text = self._chars(STEP_CHARS, strings=2)
        most = max(1, min(STEPS_MAX, (self.tokens - MARK_TOKENS) // (text + STEP_TOKENS)))

        def schema(found: Sequence[Observation]) -> Mapping[str, Any]:
            timed = _one_of([entry.number for entry in found if entry.told.span is not None])
            step = {"text": _string(text), "first": timed, "last": timed}
            steps = {"type": "array", "items": _object(step), "minItems": 1, "maxItems": most}
            return _object({"steps": steps})

        return Wish(
            "answer",
            self._before,
            f"Write the steps that reach the goal, in order, at most {most}. Reply with JSON: of "
            "each step what to do, and the numbers n of the first and the last line that show it.",
            schema,
        )

    def evaluate(self, answer: str) -> Wish:
        """How well the lines carry an answer; asked by itself, so that nothing defends it."""

        def schema(_found: Sequence[Observation]) -> Mapping[str, Any]:
            return _object(
                {
                    "reason": _string(self._chars(THOUGHT_CHARS)),
                    "confidence": {"enum": [1, 2, 3]},
                }
            )

        return Wish(
            "evaluate",
            f"{self._before}\nThe answer that somebody gave: {answer}",
            "Judge the answer by these lines. Reply with JSON: a reason, and the confidence: 1 if "
            "the lines are insufficient for an answer, 2 if they carry it in part, 3 if they are "
            "sufficient.",
            schema,
        )

    def retrieve(self, gaps: Sequence[Span]) -> Wish:
        """What to look for in the unseen segments between frames."""
        listed = "; ".join(
            f"segment {n}: second {float(gap.start):.2f} to {float(gap.end):.2f}"
            for n, gap in enumerate(gaps, start=1)
        )
        chars = self._chars(WANT_CHARS, strings=2)
        most = max(1, min(len(gaps), (self.tokens - MARK_TOKENS) // (chars + STEP_TOKENS)))

        def schema(_found: Sequence[Observation]) -> Mapping[str, Any]:
            want = {
                "segment": {"type": "integer", "minimum": 1, "maximum": len(gaps)},
                "description": _string(chars),
            }
            wanted = {"type": "array", "items": _object(want), "minItems": 1, "maxItems": most}
            return _object({"wanted": wanted})

        return Wish(
            "retrieve",
            f"{self._before}\nSegments that were not looked into: {listed}.",
            "More must be seen to be sure. Reply with JSON: segments to look into, by number, each "
            "with a short description of the picture that would help.",
            schema,
        )

    def act(self, tools: Sequence[Tool], *, may_end: bool) -> Wish:
        """One call of a tool, or the end of looking."""
        offers = [f"- {tool.name}{_signature(tool)}: {tool.purpose}" for tool in tools]
        offers += [f"- {FINISH}(): nothing more has to be known."] if may_end else []

        def schema(_found: Sequence[Observation]) -> Mapping[str, Any]:
            actions = [_action(tool.name, tool.parameters) for tool in tools]
            actions += [_action(FINISH, {})] if may_end else []
            thought = _string(self._chars(THOUGHT_CHARS, strings=3))
            return _object({"thought": thought, "action": {"anyOf": actions}})

        return Wish(
            "act",
            "\n".join([self._before, "Tools:", *offers]),
            "What is to be done next? Reply with JSON: a thought, and the call of one tool that "
            "was not called like this before.",
            schema,
        )


FINISH = "final_answer"


def _signature(tool: Tool) -> str:
    return "(" + ", ".join(tool.parameters) + ")"


def _action(name: str, parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return _object({"tool": {"const": name}, "arguments": _object(dict(parameters))})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _string(chars: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": chars}


def _one_of(numbers: Sequence[int]) -> dict[str, Any]:
    return {"enum": list(numbers)} if numbers else {"const": 0}


def _numbers(numbers: Sequence[int]) -> dict[str, Any]:
    if not numbers:
        return {"type": "array", "items": {"const": 0}, "maxItems": 0}
    most = min(CITED_MAX, len(numbers))
    return {"type": "array", "items": _one_of(numbers), "minItems": 1, "maxItems": most}
