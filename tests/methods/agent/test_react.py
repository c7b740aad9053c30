"""Think, call a tool, read what it found: with a planner whose replies the tests decide."""

import json
from fractions import Fraction
from typing import Any

import pytest

from tests.methods.agent.stage import (
    FINISH,
    act,
    answer,
    frames_in,
    judge,
    make_eyes,
    play,
    queue,
)
from tests.sources import PictureSource
from vidcli.core.agent import Stop, Style, Told
from vidcli.core.media import Shot, Transition
from vidcli.core.time import Span, Timestamp
from vidcli.core.tracks import Box, Track
from vidcli.errors import MediaError
from vidcli.methods.agent.knowing import Sense
from vidcli.methods.agent.offer import Senses
from vidcli.methods.agent.run import Agency
from vidcli.methods.agent.segments import TEXT_WEIGHT, VISUAL_WEIGHT

REACT = Agency(style=Style.REACT)
CAPTIONS = act("caption_retrieval", start=2, end=6)
END = (answer("Two things.", 2), judge(3))


def test_tools_are_called_as_named_and_what_they_find_comes_back() -> None:
    """A1.1: the loop calls the tools it names, feeds back observations, and stops on the answer.

    Survey roles: the manager makes at least one call of a tool, and never sees a picture.
    """
    played = play(queue(CAPTIONS, FINISH, *END), REACT)
    result = played.result
    assert played.tools == ["remember", "caption_retrieval"]
    assert (result.stop, result.rounds, result.text) == (Stop.ANSWERED, 2, "Two things.")
    seen = [found.told for found in result.calls[1].observations]
    assert [(told.span.start, told.span.end) for told in seen if told.span] == [(2, 4), (4, 6)]
    first, second = played.planner.prompts[:2]
    assert "seen at" not in first
    for told in seen:
        assert json.dumps(told.text) in second
    assert not any("<frame>" in prompt for prompt in played.planner.prompts)


def test_an_answer_depends_on_what_the_tool_found() -> None:
    """A1.9: without the tool that knows, the same question has another answer."""

    def script(prompt: str) -> dict[str, Any]:
        said = "the word is pear" in prompt
        if "What is to be done next?" in prompt:
            return FINISH if said else act("oracle", start=0, end=4)
        if "Judge the answer" in prompt:
            return judge(3 if said else 1)
        return answer("pear" if said else "unknown", 2)

    asked = play(script, REACT, senses=Senses(others=[ORACLE])).result
    alone = play(script, REACT).result
    assert (asked.text, asked.confidence, asked.stop) == ("pear", 3, Stop.ANSWERED)
    assert asked.calls[1].scanned == 3
    assert [tool.missing for tool in asked.tools if tool.name == "oracle"] == [""]
    assert (alone.text, alone.confidence) == ("unknown", 1)
    refused = next(call for call in alone.calls if call.tool == "oracle")
    assert refused.error.startswith("there is no tool 'oracle'")


ORACLE = Sense("oracle", "knows a word", lambda part: ([Told("said", "the word is pear", part)], 3))


def test_the_loop_ends_with_its_rounds_and_still_answers() -> None:
    """A1.1: the loop stops on --max-rounds."""
    calls = [act("caption_retrieval", start=n, end=n + 2) for n in range(3)]
    result = play(queue(*calls, *END), Agency(style=Style.REACT, rounds=3)).result
    assert (result.stop, result.rounds, result.text) == (Stop.ROUNDS, 3, "Two things.")


def test_a_planner_that_repeats_itself_is_told_once_and_then_stopped() -> None:
    """A1.1: the loop stops on repeated identical calls."""
    played = play(queue(CAPTIONS, CAPTIONS, CAPTIONS, *END), REACT)
    assert (played.result.stop, played.result.rounds) == (Stop.REPEATS, 3)
    assert [call.repeats for call in played.result.calls] == ["", "", "c2", "c2"]
    assert '"error": "this is the same as c2' in played.planner.prompts[2]
    assert "the planner repeated itself and was stopped" in played.result.warnings


def test_the_time_limit_ends_the_loop_and_not_the_answer() -> None:
    """A1.1: nothing new is begun when the time is up."""
    agency = Agency(style=Style.REACT, seconds=1e-9)
    result = play(queue(*END), agency).result
    assert (result.stop, result.text) == (Stop.TIME, "Two things.")
    assert [call.by for call in result.calls] == ["loop", "loop"]
    assert any("time was up" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (act("telescope", at=1), "there is no tool 'telescope'"),
        (act("caption_retrieval", start=1), "end is missing"),
        (act("caption_retrieval", start=1, end=99), "end is 99, which is more than 10"),
        (
            act("caption_retrieval", start=5, end=4),
            "the part ends at 4.00, not after its start 5.00",
        ),
        (act("object_memory_querying", sql="DROP TABLE objects"), "only a SELECT"),
        ({"thought": "…", "action": "look!"}, "there is no tool 'None'"),
        ({}, "there is no tool 'None'"),
    ],
)
def test_calls_that_make_no_sense_are_observations(action: dict[str, Any], error: str) -> None:
    """A1.2: what goes wrong is an observation that the planner reads, and the run goes on."""
    senses = Senses(find_tracks=lambda _span: ([make_track("dog", 0, 3)], 30))
    played = play(queue(action, CAPTIONS, FINISH, *END), REACT, senses=senses)
    failed = played.result.calls[1]
    assert error in failed.error
    assert json.dumps(failed.error, ensure_ascii=False) in played.planner.prompts[1]
    assert (played.result.stop, played.result.text) == (Stop.ANSWERED, "Two things.")
    assert any(failed.error in text for text in played.result.warnings)


def test_an_answer_before_anything_was_found_is_no_answer() -> None:
    """Anti-fake: no planner can answer from nothing, whatever it writes."""
    result = play(queue(FINISH, CAPTIONS, FINISH, *END), REACT).result
    assert [call.tool for call in result.calls] == ["remember", "final_answer", "caption_retrieval"]
    assert "there is no tool 'final_answer'" in result.calls[1].error


def test_what_a_tool_says_of_itself_is_no_evidence() -> None:
    """A1.4: an answer rests on what was found, not on how much was remembered."""
    played = play(queue(CAPTIONS, FINISH, answer("Two things.", 1, 2), judge(3)), REACT)
    assert [found.number for found in played.result.cited] == [2]
    assert played.result.citations_dropped == 1
    grammar = next(s.grammar for s in played.planner.samplings if "because" in s.grammar)
    assert '("2" | "3")' in grammar


def test_where_every_call_fails_the_loop_looks_by_itself() -> None:
    agency = Agency(style=Style.REACT, rounds=1)
    result = play(queue(act("telescope"), *END), agency).result
    assert [(call.tool, call.by) for call in result.calls] == [
        ("remember", "loop"), ("telescope", "planner"), ("caption_retrieval", "loop"),
    ]  # fmt: skip
    assert result.cited[0].call == "c3"


def test_a_video_of_which_nothing_can_be_decoded_has_no_answer() -> None:
    eyes = make_eyes(PictureSource(end=Fraction(0)))
    with pytest.raises(MediaError, match="no frame of clip"):
        play(queue(*[CAPTIONS] * 9, *END), REACT, eyes=eyes)


# Memory


def test_the_temporal_memory_has_two_second_segments_of_four_frames() -> None:
    """VideoAgent (memory): a temporal memory of 2-s segments, captioned from four frames each."""
    everything = act("caption_retrieval", start=0, end=10)
    played = play(queue(everything, FINISH, *END), REACT)
    remember, retrieved = played.result.calls
    spans = [found.told.span for found in retrieved.observations]
    assert spans == [Span(Fraction(n), Fraction(n + 2)) for n in range(0, 10, 2)]
    assert len(remember.frames) == 20
    assert [len(found.told.frames) for found in retrieved.observations] == [4] * 5
    assert retrieved.frames == ()  # remembered, not looked at again


def test_a_long_video_has_longer_segments_and_no_more_than_fifteen_captions_a_call() -> None:
    agency = Agency(style=Style.REACT, segment=Fraction(1, 2), frames=1)
    everything = act("caption_retrieval", start=0, end=10)
    result = play(queue(everything, FINISH, *END), agency).result
    found = result.calls[1].observations
    assert result.calls[0].observations[0].told.text == "20 segments are remembered"
    assert len(found) == 15
    assert found[0].told.span == Span(Fraction(0), Fraction(1, 2))
    assert found[-1].told.span == Span(Fraction(19, 2), Fraction(10))


def test_localization_is_the_documented_weighted_sum() -> None:
    """VideoAgent (memory): the localisation score is (18 visual + 11 text) / 29."""

    def caption(prompt: str) -> str:
        return "a red ball rolls" if 4 <= frames_in(prompt)[0] < 6 else "an empty street"

    def fits(prompt: str) -> float:
        return 2.0 if 8 <= frames_in(prompt)[0] < 10 else -12.0

    eyes = make_eyes(caption=caption, fits=fits)
    find = act("segment_localization", description="a red ball")
    found = play(queue(find, FINISH, *END), REACT, eyes=eyes).result.calls[1]
    texts = [entry.told.text for entry in found.observations]
    assert len(texts) == 5
    scores = {
        int(entry.told.span.start): float(entry.told.text.split()[1].rstrip(")"))
        for entry in found.observations
        if entry.told.span is not None
    }
    whole = VISUAL_WEIGHT + TEXT_WEIGHT
    assert scores[0] == scores[2] == scores[6] == 0
    assert scores[8] == pytest.approx(VISUAL_WEIGHT / whole * 0.953, abs=0.01)  # e² of e² and 1/e
    assert scores[4] == pytest.approx(TEXT_WEIGHT / whole * 0.816, abs=0.01)  # two words of three
    assert found.scanned == 0  # frames that were captioned, compared without being seen anew


def test_the_four_tools_ask_the_eyes_different_things() -> None:
    """Anti-fake: no two tools that look share a prompt; see VideoAgent (memory)."""
    calls = (
        act("segment_localization", description="a red ball"),
        act("visual_question_answering", question="How many balls?", start=1, end=3),
        act("caption_retrieval", start=0, end=10),
    )
    played = play(queue(*calls, FINISH, *END), REACT)
    prompts = played.eyes.session.prompts  # type: ignore[attr-defined]
    wishes = {prompt.split("<frame>")[-1] for prompt in prompts}
    assert len([wish for wish in wishes if "a red ball" in wish]) == 1
    assert len([wish for wish in wishes if "How many balls?" in wish]) == 1
    assert len(wishes) == 3
    answered = played.result.calls[2]
    assert len(answered.frames) == 8
    assert answered.observations[0].told.span == Span(Fraction(1), Fraction(3))
    assert answered.observations[0].told.text.startswith("How many balls? looked at 1.1")


def make_track(label: str, start: int, end: int) -> Track:
    times = [Timestamp(tick, Fraction(1, 10)) for tick in range(start * 10, end * 10)]
    return Track(label, 0.9, tuple(Box(time, 0.1, 0.1, 0.2, 0.2) for time in times))


def test_the_planner_asks_the_object_memory_in_sql() -> None:
    """VideoAgent (memory): objects, segments and what is in which, by SELECT.

    The planner is told what makes two sightings one object: no embedding model is loaded.
    """
    tracks = [make_track("dog", 0, 3), make_track("cat", 5, 6), make_track("dog", 8, 9)]
    sql = (
        "SELECT o.category, s.start_s FROM objects o JOIN objects_segments j ON j.object_id = o.id"
        " JOIN segments s ON s.id = j.segment_id ORDER BY s.start_s"
    )
    ask = act("object_memory_querying", sql=sql)
    senses = Senses(find_tracks=lambda _span: (tracks, 50))
    played = play(queue(ask, FINISH, *END), REACT, senses=senses)
    result = played.result
    told = "".join(part.text for part in played.planner.whole[0].parts)  # type: ignore[union-attr]
    assert "association by overlap and appearance histogram" in told
    assert result.calls[1].scanned == 50  # things are followed when they are first asked for
    assert [entry.told.text for entry in result.calls[1].observations] == [
        "category: dog, start_s: 0.0",
        "category: dog, start_s: 2.0",
        "category: cat, start_s: 4.0",
        "category: dog, start_s: 8.0",
    ]


def test_shots_are_found_when_they_are_asked_for_and_once() -> None:
    asked = []

    def find() -> list[Shot]:
        asked.append(1)
        return [
            Shot(Span(Fraction(0), Fraction(4)), Transition.START),
            Shot(Span(Fraction(4), Fraction(10)), Transition.CUT),
        ]

    senses = Senses(find_shots=find)
    nothing = play(queue(CAPTIONS, FINISH, *END), REACT, senses=senses)
    assert asked == []
    assert nothing.result.text
    result = play(queue(act("shots"), FINISH, *END), REACT, senses=senses).result
    assert [found.told.text for found in result.calls[1].observations] == [
        "shot 1, begins with start",
        "shot 2, begins with cut",
    ]
    assert asked == [1]
