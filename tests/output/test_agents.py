"""What an agent found, for programs and for people."""

import jsonschema

from tests.output.agents import make_agent_rehearsal, make_agent_result, make_tools
from vidcli.output.agents import agent_document, agent_plan_rows, say_agent, tool_rows
from vidcli.output.forms import Form, render_file, say_result
from vidcli.output.schema import load_schema


def test_evidence_names_calls_observations_frames_and_times_that_are_in_the_document():
    """A1.4: what an answer cites can be looked up in the same document."""
    made = agent_document(make_agent_result())
    seen, row = made["evidence"]
    assert (seen["calls"], seen["observations"], seen["start_s"], seen["end_s"]) == (
        ["c1"],
        [1],
        0,
        1,
    )
    assert seen["frames"] == [frame["id"] for frame in made["frames"]]
    assert (row["calls"], row["frames"]) == (["c4"], [])
    assert (row["start_s"], row["end_s"]) == (0, 2)  # about no part: about the whole
    assert [call["id"] for call in made["calls"]] == ["c1", "c2", "c3", "c4"]
    assert made["calls"][0]["frames_new"] == [frame["time_s"] for frame in made["frames"]]
    assert (made["calls"][1]["error"], made["calls"][2]["repeats"]) == (
        "there is no tool 'telescope'", "c1",
    )  # fmt: skip


def test_evidence_of_a_plan_is_its_steps():
    """A1.8: the plan in the document validates, and each step is an entry with its times."""
    made = agent_document(make_agent_result(steps=True))
    jsonschema.validate(made, load_schema("agent"))
    assert [step["text"] for step in made["steps"]] == ["Roll it."]
    assert [(e["quote"], e["start_s"], e["end_s"]) for e in made["evidence"]] == [
        ("Roll it.", 0, 1)
    ]


def test_every_form_holds_the_answer():
    for steps in (False, True):
        made = agent_document(make_agent_result(steps=steps))
        assert say_result(made) == make_agent_result(steps=steps).text
        for form in Form:
            assert "olls" in (text := render_file(made, form).decode()) or "Roll it." in text
    subtitles = render_file(made, Form.SRT).decode()
    assert subtitles == "1\n00:00:00,000 --> 00:00:01,000\nRoll it.\n"


def test_people_are_told_what_it_rests_on_and_what_is_missing():
    told = say_agent(make_agent_result())
    assert told.endswith("4 calls in 3 rounds, stopped: rounds, confidence 2 of 3; rests on c1, c4")
    rows = tool_rows(make_tools())
    assert rows[0] == ("look", "confidence", "yes", "looks")
    assert rows[1] == ("transcript", "both", "no", "nothing is\\x1b written down")
    plan = dict(agent_plan_rows(make_agent_rehearsal()))
    assert plan["style"] == "react, at most 1 round"
    assert plan["tools"] == "look; not transcript"
    assert plan["time"].startswith("at most 1.0 s: decode 1.0 s")
