"""Answer, judge, look where something is missing: with a planner whose replies the tests decide."""

from fractions import Fraction
from typing import Any

import pytest

from tests.methods.agent.stage import (
    Played,
    answer,
    frames_in,
    judge,
    make_eyes,
    play,
    queue,
    want,
)
from tests.sources import PictureSource, make_info
from vidcli.core.agent import Stop, Told
from vidcli.core.speech import Cue, SpeechKind, Transcript
from vidcli.core.time import Span, Timestamp
from vidcli.errors import MediaError, ResourceError
from vidcli.methods.agent.confidence import find_gaps
from vidcli.methods.agent.offer import Senses
from vidcli.methods.agent.run import Agency
from vidcli.methods.agent.seeing import CANDIDATES
from vidcli.methods.agent.toolbox import Toolbox

GUESS = answer("A guess.", 1)
SURE = answer("A ball rolls.", 3, 6)
AGENCY = Agency()


def asked(played: Played) -> list[str]:
    return [call.name for call in played.result.planner_calls]


def test_five_frames_an_answer_a_judgement_and_then_what_is_missing() -> None:
    """A1.5: rounds end at confidence 3; frames used are five and those retrieved.

    VideoAgent (Stanford): three separate calls of the planner are in the trace.
    """
    script = queue(GUESS, judge(1), want((2, "a ball")), SURE, judge(3))
    result = (played := play(script, AGENCY)).result
    assert asked(played) == ["answer", "evaluate", "retrieve", "answer", "evaluate"]
    assert [call.round for call in result.planner_calls] == [1, 1, 1, 2, 2]
    assert played.tools == ["look"] * 5 + ["retrieve"]
    assert [float(frame.time.seconds) for frame in result.frames if frame.reason == "look"] == [
        1, 3, 5, 7, 9,
    ]  # fmt: skip
    assert len(result.frames) == 6
    assert (result.stop, result.rounds, result.confidence) == (Stop.CONFIDENT, 2, 3)
    assert (result.text, [found.call for found in result.cited]) == ("A ball rolls.", ["c3", "c6"])


def test_the_judgement_is_a_call_of_its_own_that_sees_the_answer() -> None:
    """A1.5: self-evaluation is a separate call, and the answering one is not asked for it."""
    played = play(queue(GUESS, judge(2), want((1, "x")), SURE, judge(3)), AGENCY)
    answering, judging = played.planner.prompts[:2]
    assert "confidence" not in answering
    assert "The answer that somebody gave: A guess." in judging
    assert "1 if the lines are insufficient" in judging
    grammars = [sampling.grammar for sampling in played.planner.samplings]
    assert 'confidence ::= ("1" | "2" | "3")' in grammars[1]
    assert "confidence" not in grammars[0]


@pytest.mark.parametrize("confidence", [1, 2])
def test_the_third_round_answers_whatever_the_judgement(confidence: int) -> None:
    """A1.5: at most three rounds; the last answer stands, with its judgement."""
    low = judge(confidence)
    script = queue(
        GUESS, low, want((1, "a")), GUESS, low, want((1, "b"), (4, "c")), SURE, low
    )  # fmt: skip
    result = (played := play(script, AGENCY)).result
    assert asked(played).count("answer") == asked(played).count("evaluate") == 3
    assert (result.stop, result.rounds, result.confidence) == (Stop.ROUNDS, 3, confidence)
    assert len(result.frames) == 5 + 3
    assert result.text == "A ball rolls."


@pytest.mark.parametrize(("segment", "start", "end"), [(1, 0, 1), (3, 3, 5), (6, 9, 10)])
def test_retrieval_stays_in_the_segment_that_was_named(segment: int, start: int, end: int) -> None:
    """A1.5: retrieval is restricted to the named segment, even where others fit better."""
    eyes = make_eyes(fits=lambda prompt: 1.0 if 6 < frames_in(prompt)[0] < 7 else -1.0)
    script = queue(GUESS, judge(1), want((segment, "a ball")), SURE, judge(3))
    result = play(script, AGENCY, eyes=eyes).result
    call = result.calls[-1]
    assert (call.arguments["start"], call.arguments["end"]) == (start, end)
    assert len(call.frames) == 1
    assert start <= call.frames[0].seconds < end
    assert call.scanned == CANDIDATES - 1 - (segment == 6)  # one became words, one had been seen


def test_the_frame_that_fits_best_is_the_one_that_is_looked_at() -> None:
    """A1.5: of a segment's frames, the one most alike the description is captioned."""

    def fits(prompt: str) -> float:
        assert "a red ball" in prompt
        return -abs(frames_in(prompt)[0] - 5.9)

    script = queue(GUESS, judge(1), want((4, "a red ball")), SURE, judge(3))
    call = play(script, AGENCY, eyes=make_eyes(fits=fits)).result.calls[-1]
    assert float(call.frames[0].seconds) == pytest.approx(5.8, abs=0.11)


def test_a_segment_that_does_not_exist_is_refused_and_recorded() -> None:
    """A1.2: nonsense from the planner is an observation with the error."""
    script = queue(GUESS, judge(1), want((9, "x"), (2, "y")), SURE, judge(3))
    result = play(script, AGENCY).result
    bad, good = result.calls[-2:]
    assert "start is missing" in bad.error
    assert len(good.observations) == 1


@pytest.mark.parametrize("reply", [{}, {"wanted": "everything"}, {"wanted": ["x"]}])
def test_a_planner_that_wants_nothing_that_can_be_had_ends_the_loop(reply: dict[str, Any]) -> None:
    result = play(queue(GUESS, judge(1), reply), AGENCY).result
    assert (result.stop, result.rounds, result.text) == (Stop.NOTHING_NEW, 1, "A guess.")


def test_the_time_limit_ends_the_loop_with_the_answer_so_far() -> None:
    result = play(queue(GUESS, judge(1)), Agency(seconds=1e-9)).result
    assert (result.stop, result.text, len(result.frames)) == (Stop.TIME, "A guess.", 5)


def test_more_rounds_and_frames_are_what_was_asked_for() -> None:
    script = queue(GUESS, judge(1))
    result = play(script, Agency(rounds=1, frames=2)).result
    assert (result.stop, result.rounds, len(result.frames)) == (Stop.ROUNDS, 1, 2)


def test_an_answer_that_names_nothing_real_is_counted_not_believed() -> None:
    """A1.4: what is cited exists; what does not is dropped and counted."""
    made = {"thought": "", "answer": "Yes.", "because": [2, 99, "c1", True, 2]}
    result = play(queue(made, judge(3)), AGENCY).result
    assert [found.number for found in result.cited] == [2]
    assert result.citations_dropped == 3
    assert "3 citations name nothing that was found" in result.warnings


def test_a_reply_without_an_answer_is_an_error_that_says_so() -> None:
    with pytest.raises(ResourceError, match="ended before the answer"):
        play(queue({"thought": "hm"}), AGENCY)


def test_steps_have_times_of_the_clip_in_order() -> None:
    """A1.8: every step has a time range inside the clip, made of what was seen and nothing else."""
    steps = [
        {"text": "Then stop.", "first": 4, "last": 5},
        {"text": "Roll  the\nball.", "first": 1, "last": 2},
        {"text": "Fly.", "first": 1, "last": 77},
        {"text": "", "first": 1, "last": 1},
        {"text": "Go back.", "first": 3, "last": 1},
    ]
    script = queue({"steps": steps}, judge(3))
    result = play(script, AGENCY, question="make a step list to repeat this").result
    assert [(step.text, float(step.span.start), float(step.span.end)) for step in result.steps] == [
        ("Roll the ball.", 1, 5),
        ("Go back.", 1, 7),
        ("Then stop.", 7, 10),
    ]
    assert result.text.splitlines()[0] == "1. [0:01.0–0:05.0] Roll the ball."
    assert result.citations_dropped == 2
    assert result.steps[1].calls == ("c3", "c1")


def test_steps_stay_inside_the_span_that_was_asked_for() -> None:
    """A1.8: a part of a clip is all there is."""
    span = Span(Fraction(2), Fraction(4))
    steps = [{"text": "Go.", "first": 1, "last": 5}]
    result = play(queue({"steps": steps}, judge(3)), Agency(steps=True), span=span).result
    assert result.steps[0].span == Span(Fraction(11, 5), Fraction(4))
    assert all(frame.time.seconds in span for frame in result.frames)


def test_what_is_said_is_read_first_and_by_the_loop() -> None:
    cue = Cue(Span(Fraction(1), Fraction(2)), "Hello\nthere.")
    senses = Senses(transcript=Transcript(SpeechKind.SIDECAR, "clip.srt", None, (cue,)))
    played = play(queue(GUESS, judge(3)), AGENCY, senses=senses)
    first = played.result.calls[0]
    assert (first.tool, first.by, first.frames) == ("transcript", "loop", ())
    assert first.observations[0].told == Told("said", "Hello there.", cue.span)
    assert '"said": "Hello there."' in played.planner.prompts[0]


def test_a_part_that_cannot_be_decoded_costs_its_calls_alone() -> None:
    eyes = make_eyes(PictureSource(end=Fraction(4)))
    result = play(queue(GUESS, judge(3)), AGENCY, eyes=eyes).result
    assert [bool(call.error) for call in result.calls] == [False, False, True, True, True]
    assert any(text.startswith("3 calls failed, first c3") for text in result.warnings)


def test_a_video_of_which_nothing_can_be_decoded_has_no_answer() -> None:
    with pytest.raises(MediaError, match="no frame of clip"):
        play(queue(GUESS), AGENCY, eyes=make_eyes(PictureSource(end=Fraction(0))))


def test_gaps_hold_frames_that_were_not_seen() -> None:
    class Found:
        name = purpose = "seen"
        parameters: dict[str, Any] = {}  # noqa: RUF012

        def __call__(self, _arguments: Any) -> list[Told]:
            ticks = (0, 1, 20, 21, 22, 99)
            return [Told("seen", "x", None, (Timestamp(n, Fraction(1, 10)),)) for n in ticks]

    box = Toolbox([Found()])
    box.call("seen", {})
    whole = Span(Fraction(0), Fraction(10))
    gaps = find_gaps(box, whole, make_info())
    assert [(float(gap.start), float(gap.end)) for gap in gaps] == [(0.1, 2.0), (2.2, 9.9)]
