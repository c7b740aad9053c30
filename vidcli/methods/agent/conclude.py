"""From what was found to an answer: written in one call of the planner, judged in another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vidcli.core.agent import Observation, PlannerCall, Step
from vidcli.core.time import Span, format_time
from vidcli.errors import ResourceError
from vidcli.methods.agent.planner import Planner
from vidcli.methods.agent.prompts import Asker
from vidcli.methods.agent.toolbox import Toolbox

CONFIDENT = 3


@dataclass(frozen=True, slots=True)
class Conclusion:
    """An answer or a plan.

    Attributes:
        text: The answer; of a plan its numbered steps, a line each.
        steps: Of a plan.
        cited: Observations it rests on.
        dropped: Numbers it named that no observation has, or, of a plan, none with a time.
    """

    text: str
    steps: tuple[Step, ...]
    cited: tuple[Observation, ...]
    dropped: int


@dataclass(slots=True)
class Concluder:
    """Asks for answers, and for judgements of them.

    Args:
        planner: Who is asked.
        asker: What about.
        toolbox: What was found.
    """

    planner: Planner
    asker: Asker
    toolbox: Toolbox

    def answer(self, *, round: int) -> Conclusion:
        """The answer, or the plan, from everything that is known.

        Raises:
            ResourceError: The reply was over before there was one.
        """
        made = self.planner.ask(self.asker.answer(), self.toolbox.calls, round=round)
        read = self._read_steps if self.asker.steps else self._read_words
        conclusion = read(made.reply)
        if not conclusion.text:
            what = "a step of the plan" if self.asker.steps else "the answer"
            raise ResourceError(
                f"the planner's reply ended before {what}",
                hint="give more cells with --n-ctx, or another planner with --planner",
            )
        return conclusion

    def evaluate(self, conclusion: Conclusion, *, round: int) -> int | None:
        """The planner's confidence in an answer, 1 to 3, in a call of its own; None for none."""
        wish = self.asker.evaluate(conclusion.text)
        judged: PlannerCall = self.planner.ask(wish, self.toolbox.calls, round=round)
        confidence = judged.reply.get("confidence")
        return confidence if type(confidence) is int and 1 <= confidence <= 3 else None

    def _read_words(self, reply: Mapping[str, Any]) -> Conclusion:
        known = {found.number: found for found in self.toolbox.observations}
        named = _list(reply.get("because"))
        numbers = [n for n in named if type(n) is int and n in known]
        text = reply.get("answer")
        return Conclusion(
            " ".join(text.split()) if isinstance(text, str) else "",
            (),
            tuple(known[n] for n in dict.fromkeys(numbers)),
            len(named) - len(numbers),
        )

    def _read_steps(self, reply: Mapping[str, Any]) -> Conclusion:
        known = {
            found.number: found
            for found in self.toolbox.observations
            if found.told.span is not None
        }
        steps, dropped = [], 0
        for entry in _list(reply.get("steps")):
            fields = entry if isinstance(entry, dict) else {}
            ends = [
                known[n]
                for n in (fields.get("first"), fields.get("last"))
                if type(n) is int and n in known
            ]
            text = fields.get("text")
            if isinstance(text, str) and text.strip() and len(ends) == 2:
                steps.append(self._make_step(text, ends))
            else:
                dropped += 1
        steps.sort(key=lambda step: step.span.start)
        cited = dict.fromkeys(number for step in steps for number in step.observations)
        return Conclusion(
            "\n".join(write_step(number, step) for number, step in enumerate(steps, start=1)),
            tuple(steps),
            tuple(known[number] for number in cited),
            dropped,
        )

    def _make_step(self, text: str, ends: Sequence[Observation]) -> Step:
        spans = [self._stretch(found) for found in ends]
        span = Span(min(span.start for span in spans), max(span.end for span in spans))
        calls = tuple(dict.fromkeys(found.call for found in ends))
        numbers = tuple(dict.fromkeys(found.number for found in ends))
        return Step(" ".join(text.split()), span, calls, numbers)

    def _stretch(self, found: Observation) -> Span:
        """What an observation is about; of a single frame, until the next one that was seen."""
        span = found.told.span
        assert span is not None, "only asked for those with a time"
        whole = self.asker.span
        end = span.end
        if len(found.told.frames) == 1:
            later = [start for start in self._starts() if start > span.start]
            end = min(later, default=whole.end)
        start = min(max(span.start, whole.start), whole.end - Fraction(1, 1000))
        return Span(start, max(min(end, whole.end), start + Fraction(1, 1000)))

    def _starts(self) -> list[Fraction]:
        return [
            moment.seconds for found in self.toolbox.observations for moment in found.told.frames
        ]


def write_step(number: int, step: Step) -> str:
    """One line of a plan."""
    start, end = (format_time(time, decimals=1) for time in (step.span.start, step.span.end))
    return f"{number}. [{start}–{end}] {step.text}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
