"""Instructions come from the sources alone, of every kind, and only what follows is kept."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.methods.scripted import ScriptedSession, say
from vidcli.core.results import FinishReason, Generation
from vidcli.core.sampling import Sampling
from vidcli.core.time import Span
from vidcli.errors import ResourceError
from vidcli.methods.context import FENCE, Context, Kind, Note, fit_context, order_notes
from vidcli.methods.instruct import Drop, Instructed, Instructing, instruct
from vidcli.methods.wishes import (
    DESCRIBE,
    WISHES,
    Task,
    leaks,
    pairs_schema,
    read_pairs,
    whole_sentences,
)

STORY = "A dog runs over the grass. Then it jumps into a lake and swims to the far side."
NOTES = order_notes(
    [
        Note(Kind.SPEECH, "Fetch the stick!", Span(Fraction(2), Fraction(4))),
        Note(Kind.CAPTION, "A dog runs on grass.", Span(Fraction(0), Fraction(5))),
    ]
)
GOOD = ("What does the dog do first?", "It runs over the grass.")
ONE = Instructing(tasks=(Task.DESCRIPTIVE,), per_task=1)


def reply_with(*pairs: tuple[str, str], story: str | Generation = STORY):
    """Describes with `story`; replies to any wish with these pairs."""

    def reply(prompt: str, sampling: Sampling) -> str | Generation:
        if DESCRIBE in prompt:
            return story
        return json.dumps({"pairs": [{"question": q, "answer": a} for q, a in pairs]})

    return reply


def agree(prompt: str, option: str) -> float:
    """Yes to everything but what tells of a cat."""
    says_yes = option.strip().lower() == "yes"
    return -0.1 if says_yes is ("cat" not in prompt.split("answer are on")[-1]) else -3.0


def make(session: ScriptedSession, instructing: Instructing = ONE) -> Instructed:
    return instruct(session, NOTES, instructing, fingerprint="f" * 32)


def drops(made: Instructed) -> list[Drop | None]:
    return [found.drop for found in made.instructions if found.task is not Task.DESCRIPTION]


def test_a_description_and_questions_of_every_kind_are_made():
    n = iter(range(100))
    questions = [f"Who is number{i} of all?" for i in range(20)]

    def reply(prompt: str, sampling: Sampling) -> str:
        if DESCRIBE in prompt:
            return STORY
        pair = {"question": questions[next(n)], "answer": "The dog runs."}
        return json.dumps({"pairs": [pair, {**pair, "question": questions[next(n)]}]})

    session = ScriptedSession(reply, agree)
    made = make(session, Instructing(per_task=2, similarity=1.1))
    kinds = [found.task for found in made.kept]
    assert kinds == [Task.DESCRIPTION, *(task for task in WISHES for _ in "ab")]
    assert made.sources == {"caption": 1, "speech": 1}
    asked = [prompt for prompt in session.prompts if "Write 2 different" in prompt]
    assert len(asked) == len(WISHES)
    assert all(f"A description of the video: {STORY}" in prompt for prompt in asked)
    assert all(wish in prompt for wish, prompt in zip(WISHES.values(), asked, strict=True))


def test_every_prompt_opens_with_the_same_fenced_lines():
    session = ScriptedSession(reply_with(GOOD), agree)
    make(session)
    opening = f"<user>{Context(NOTES).write()}"
    assert all(prompt.startswith(opening) for prompt in session.prompts)
    lines = opening.splitlines()[1:]
    assert [json.loads(line)["text"] for line in lines] == [
        "A dog runs on grass.",
        "Fetch the stick!",
    ]
    assert session.forgotten == 1


@given(st.text())
def test_no_text_of_a_video_can_end_its_line(text: str):
    note = Note(Kind.SPEECH, " ".join(text.split()))
    assert len(note.write().splitlines()) == 1 or "\n" not in note.write()
    assert json.loads(note.write())["text"] == note.text


FAULTS = {
    Drop.EMPTY: ("What is it?", "…"),
    Drop.LOOP: ("What is it?", "a dog and a dog and a dog and a dog and a dog"),
    Drop.REFUSAL: ("What is it?", "I'm sorry, I cannot see the video."),
    Drop.LEAK: ("What do the captions say?", "A dog runs."),
    Drop.INCONSISTENT: ("What is on the roof?", "A cat is on the roof."),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_each_filter_drops_a_row_that_no_other_would(fault: Drop):
    made = make(ScriptedSession(reply_with(GOOD, FAULTS[fault]), agree))
    assert drops(made) == [None, fault]
    scored = made.instructions[-1].agreement
    assert (scored is None) is (fault is not Drop.INCONSISTENT)


def test_a_question_asked_before_is_dropped():
    made = make(ScriptedSession(reply_with(GOOD, (GOOD[0].lower(), "It swims.")), agree))
    assert drops(made) == [None, Drop.DUPLICATE]


def test_a_cut_reply_keeps_its_whole_pairs_and_says_what_was_lost():
    whole = json.dumps({"pairs": [{"question": GOOD[0], "answer": GOOD[1]}] * 2})

    def reply(prompt: str, sampling: Sampling) -> str | Generation:
        return STORY if DESCRIBE in prompt else say(whole[:-20], finish=FinishReason.LENGTH)

    assert drops(make(ScriptedSession(reply, agree))) == [None, Drop.TRUNCATED]
    assert read_pairs(whole) == ([GOOD, GOOD], False)
    assert read_pairs('{"pa') == ([], True)


def test_the_threshold_decides_what_follows():
    session = ScriptedSession(reply_with(FAULTS[Drop.INCONSISTENT]), agree)
    kept = make(session, replace(ONE, min_agreement=0.0)).kept
    agreement = kept[-1].agreement
    assert agreement is not None
    assert 0 < agreement < 0.1
    assert drops(make(session, replace(ONE, min_agreement=agreement))) == [None]
    assert drops(make(session, replace(ONE, min_agreement=agreement + 0.01))) == [Drop.INCONSISTENT]


def test_a_description_that_fails_is_neither_a_row_nor_shown_to_the_model_again():
    cat = "A cat sits on the roof all day."
    session = ScriptedSession(reply_with(GOOD, story=cat), agree)
    made = make(session)
    assert made.instructions[0].drop is Drop.INCONSISTENT
    assert not any("A description of the video" in prompt for prompt in session.prompts)
    looping = say(STORY, finish=FinishReason.LOOP)
    made = make(ScriptedSession(reply_with(GOOD, story=looping), agree))
    assert made.instructions[0].drop is Drop.LOOP


def test_a_description_that_was_cut_ends_with_its_last_whole_sentence():
    cut = say(f"{STORY} And the", finish=FinishReason.LENGTH)
    made = make(ScriptedSession(reply_with(GOOD, story=cut), agree))
    assert made.instructions[0].answer == STORY
    assert made.instructions[0].drop is None
    hopeless = say("a dog and then a", finish=FinishReason.LENGTH)
    made = make(ScriptedSession(reply_with(GOOD, story=hopeless), agree))
    assert made.instructions[0].drop is Drop.TRUNCATED
    assert whole_sentences('He said "no." And') == 'He said "no."'


@pytest.mark.parametrize(
    "text",
    [
        "What does the caption at the start say?",
        "According to the provided data it is red.",
        "Reply in JSON.",
        "as stated in line 3",
        "Ask what comes before or after something, in which order",
        FENCE,
    ],
)
def test_what_speaks_of_the_prompt_is_a_leak(text: str):
    assert leaks(text)


@pytest.mark.parametrize(
    "text", ["A dog waits in line.", "People draw lines on the ground.", "She films data centres."]
)
def test_what_only_shares_a_word_with_the_prompt_is_no_leak(text: str):
    assert not leaks(text)


def test_what_does_not_fit_the_context_is_left_out_evenly_and_counted():
    notes = [
        Note(Kind.CAPTION, f"word{i} " * 20, Span(Fraction(i), Fraction(i + 1))) for i in range(100)
    ]
    session = ScriptedSession(reply_with())
    context = fit_context(session, order_notes(notes), room=1000)
    assert 10 < len(context.notes) < 50
    assert context.left_out == 100 - len(context.notes)
    starts = [float(note.span.start) for note in context.notes if note.span]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert starts[-1] > 90
    with pytest.raises(ResourceError, match="no room"):
        fit_context(session, order_notes(notes), room=50)


def test_seeds_depend_on_the_content_and_the_step():
    session = ScriptedSession(reply_with(GOOD), agree)
    make(session, replace(ONE, sampling=Sampling(temperature=0.5, seed=4)))
    seeds = [sampling.seed for sampling in session.samplings]
    make(session, replace(ONE, sampling=Sampling(temperature=0.5, seed=4)))
    assert [sampling.seed for sampling in session.samplings[2:]] == seeds
    assert len(set(seeds)) == 2


def test_replies_are_bound_to_the_number_and_length_of_pairs():
    schema = pairs_schema(Task.YES_NO, count=2, answer_chars=600)
    pairs = schema["properties"]["pairs"]
    assert (pairs["minItems"], pairs["maxItems"]) == (2, 2)
    assert pairs["items"]["properties"]["answer"] == {"enum": ["Yes", "No"]}
    free = pairs_schema(Task.CREATIVE, count=3, answer_chars=50)
    answer = free["properties"]["pairs"]["items"]["properties"]["answer"]
    assert answer["maxLength"] == 50
