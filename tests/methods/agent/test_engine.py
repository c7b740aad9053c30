"""The real engine under the planner's grammars: whatever a model writes is what was asked for."""

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import jsonschema
import pytest

from tests.methods.agent.stage import WHOLE
from tests.pairs import PairCache, load
from vidcli.core.agent import Call, Observation, Told
from vidcli.core.results import Timings
from vidcli.core.sampling import Sampling
from vidcli.core.time import Span
from vidcli.methods.agent.knowing import ObjectMemoryQuerying
from vidcli.methods.agent.planner import Planner, Wish, list_lines
from vidcli.methods.agent.prompts import Asker
from vidcli.methods.agent.toolbox import Toolbox, check_arguments

N_CTX = 4096
HOT = [Sampling(temperature=2.0, seed=seed) for seed in range(3)]


class Anything:
    """A tool with every kind of argument."""

    name = "anything"
    purpose = "takes all kinds"
    parameters = {  # noqa: RUF012
        "start": {"type": "number", "minimum": 0.25, "maximum": 10.04},
        "count": {"type": "integer", "minimum": 1, "maximum": 5},
        "description": {"type": "string", "minLength": 1, "maxLength": 30},
    }

    def __call__(self, _arguments: Any) -> list[Told]:
        return []


class NoRows:
    def query(self, _sql: str) -> Any:
        return (), [], False


TOOLS = [Anything(), ObjectMemoryQuerying(NoRows())]


def calls() -> list[Call]:
    spans = (Span(Fraction(n), Fraction(n + 2)) for n in range(0, 10, 2))
    return [
        Call(
            f"c{n}",
            "look",
            {},
            "loop",
            0.0,
            observations=(Observation(n, f"c{n}", Told("seen", "a “ball”\n\\", span)),),
        )
        for n, span in enumerate(spans, start=1)
    ]


def wishes(tokens: int) -> Iterator[Wish]:
    words, steps = (Asker("What?", WHOLE, is_goal, tokens) for is_goal in (False, True))
    yield words.answer()
    yield steps.answer()
    yield words.evaluate("A ball rolls.")
    yield words.retrieve([WHOLE, WHOLE, WHOLE])
    yield words.act(TOOLS, may_end=False)
    yield words.act(TOOLS, may_end=True)


@pytest.mark.parametrize("sampling", [Sampling(), *HOT], ids=str)
def test_a_random_model_writes_nothing_but_valid_replies(
    pairs: PairCache, sampling: Sampling
) -> None:
    """A1.3: replies of a random-weight planner are valid JSON of the tools' own schemas."""
    with load(pairs.get("tiny-idefics3"), n_ctx=N_CTX) as session:
        planner = Planner(session, sampling, Timings())
        for wish in wishes(planner.reply_tokens):
            made = planner.ask(wish, calls(), round=1)
            raw = session.last_generation.text
            assert not made.is_cut
            assert json.loads(raw) == made.reply
            found = [entry for call in calls() for entry in call.observations]
            jsonschema.validate(made.reply, wish.schema(found))
            if wish.name == "act":
                action = made.reply["action"]
                tool = Toolbox(TOOLS).find(action["tool"])
                assert tool is None or check_arguments(tool.parameters, action["arguments"]) == []


def test_every_tool_can_be_called_and_the_end_only_when_it_may(pairs: PairCache) -> None:
    """A1.3: the grammar offers each tool, and the final answer only after something was found."""
    with load(pairs.get("tiny-idefics3"), n_ctx=N_CTX) as session:
        offered = []
        for may_end in (False, True):
            asker = Asker("What?", WHOLE, False, 256)
            wish = asker.act(TOOLS, may_end=may_end)
            named = set()
            for seed in range(12):
                planner = Planner(session, Sampling(temperature=2.0, seed=seed), Timings())
                named.add(planner.ask(wish, [], round=1).reply["action"]["tool"])
            offered.append(named)
    assert "final_answer" not in offered[0]
    assert {"anything", "object_memory_querying"} <= offered[0] | offered[1]


def test_prompts_take_the_cells_that_were_counted(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3"), n_ctx=N_CTX) as session:
        planner = Planner(session, Sampling(), Timings())
        wish = Asker("What?", WHOLE, False, planner.reply_tokens).answer()
        made = planner.ask(wish, calls(), round=1)
        prompt = planner.write(wish, list_lines(calls()))
        assert made.prompt_tokens == session.count_cells(prompt.parts)
