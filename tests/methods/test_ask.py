"""Answers from a real model on made-up pictures: repeatable, cached, scored, cited."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from tests.pairs import FAMILIES, PairCache, load
from tests.sources import PictureSource, make_plan
from vidcli.core.prompt import SeenFrame
from vidcli.core.results import Answer, CacheUse, Delta, FinishReason, Timings, VideoReport
from vidcli.core.sampling import Sampling
from vidcli.core.time import Timestamp
from vidcli.engine.grammar import schema_to_gbnf
from vidcli.engine.prefix_cache import PrefixCache
from vidcli.errors import ResourceError
from vidcli.methods.ask import Question, ask, ask_check, compose
from vidcli.methods.cite import read_citations
from vidcli.methods.compose import spell_number
from vidcli.methods.converse import Conversation
from vidcli.methods.watch import Watched, watch

VIDEO = VideoReport("clip.mp4", "print", Fraction(10))
SHORT = Sampling(max_tokens=8)


def _watch(session, n: int = 6, source: PictureSource | None = None) -> Watched:  # type: ignore[no-untyped-def]
    size = session.frame_size((640, 360))
    return watch(
        source or PictureSource(),
        session,
        make_plan(n),
        size=size,
        store=None,
        timings=Timings(),
    )


def _answer(session, watched: Watched, question: Question) -> tuple[str, Answer]:  # type: ignore[no-untyped-def]
    *deltas, answer = ask(session, watched, question, video=VIDEO, timings=Timings())
    assert isinstance(answer, Answer)
    return "".join(d.text for d in deltas if isinstance(d, Delta)), answer


@pytest.mark.parametrize("shape", FAMILIES)
def test_cached_and_uncached_runs_write_the_same(
    shape: str, pairs: PairCache, tmp_path: Path
) -> None:
    texts, uses = [], []
    for prefixes in (None, PrefixCache(tmp_path, 1 << 30), PrefixCache(tmp_path, 1 << 30)):
        with load(pairs.get(shape), prefixes=prefixes) as session:
            streamed, answer = _answer(
                session, _watch(session), Question("What happens?", sampling=SHORT)
            )
        texts.append(answer.text)
        uses.append(answer.usage.prefix_cache)
        assert streamed.strip() == answer.text
        assert answer.usage.completion_tokens <= 8
    assert texts[0] == texts[1] == texts[2]
    assert uses == [CacheUse.OFF, CacheUse.MISS, CacheUse.HIT]


def test_another_question_reuses_the_video_in_memory(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3")) as session:
        watched = _watch(session)
        _answer(session, watched, Question("What happens?", sampling=SHORT))
        _, second = _answer(session, watched, Question("Who is there?", sampling=SHORT))
        prompt = compose(session, watched, Question("And when?", sampling=SHORT), VIDEO)
        prefix = session.prefill(prompt)
    assert second.usage.prefix_cache is CacheUse.HIT
    assert prefix.n_reused >= session_cells(prompt.parts[: prompt.n_shared], prefix.n_cells) > 0


def session_cells(parts, n_cells: int) -> int:  # type: ignore[no-untyped-def]
    """A lower bound of the shared cells: the visual tokens alone."""
    return min(n_cells, sum(p.tokens.n_tokens for p in parts if hasattr(p, "tokens")))


def test_the_video_decides_the_answer(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3")) as session:
        question = Question("What happens?", choices=("red", "green", "blue"))
        moving, still = PictureSource(), PictureSource(still=True)
        found = [
            _answer(session, _watch(session, source=source), question)[1].choices
            for source in (moving, still)
        ]
    assert found[0] != found[1]


def test_choices_carry_probabilities_that_add_up(pairs: PairCache) -> None:
    with load(pairs.get("tiny-qwen2vl")) as session:
        watched = _watch(session)
        streamed, answer = _answer(
            session, watched, Question("Is it?", choices=("yes", "no", "not sure at all"))
        )
    assert [choice.text for choice in answer.choices] == ["yes", "no", "not sure at all"]
    assert sum(choice.probability for choice in answer.choices) == pytest.approx(1)
    best = max(answer.choices, key=lambda choice: choice.probability)
    assert answer.text == streamed == best.text
    assert answer.usage.completion_tokens == 0


def test_scoring_leaves_the_prompt_as_it_was(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3")) as session:
        watched = _watch(session)
        question = Question("What happens?", sampling=SHORT)
        _, before = _answer(session, watched, question)
        prefix = session.prefill(compose(session, watched, question, VIDEO))
        first = session.score(prefix, ["a long option of words", "b", "another long one"])
        again = session.score(prefix, ["a long option of words", "b", "another long one"])
        _, after = _answer(session, watched, question)
    assert first == again
    assert before.text == after.text


def test_structured_answers_are_whole_or_an_error(pairs: PairCache) -> None:
    grammar = schema_to_gbnf({"type": "object", "properties": {"n": {"enum": [1, 2]}}})
    with load(pairs.get("tiny-idefics3")) as session:
        watched = _watch(session)
        whole = Question("What?", sampling=Sampling(grammar=grammar), structured=True)
        *deltas, answer = ask(session, watched, whole, video=VIDEO, timings=Timings())
        assert len(deltas) == 1
        assert set(json.loads(answer.text)) <= {"n"}
        cut = Question("What?", sampling=Sampling(1, grammar=grammar), structured=True)
        with pytest.raises(ResourceError, match="before its JSON was complete"):
            list(ask(session, watched, cut, video=VIDEO, timings=Timings()))


def test_check_asks_for_yes_or_no(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3")) as session:
        _, answer = _answer(session, _watch(session), ask_check("A dog is visible.", Sampling()))
    assert [choice.text for choice in answer.choices] == ["yes", "no"]


def test_the_same_seed_draws_the_same_words_and_another_does_not(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3")) as session:
        watched = _watch(session)
        texts = [
            _answer(
                session,
                watched,
                Question("What?", sampling=Sampling(max_tokens=16, temperature=1.5, seed=seed)),
            )[1].text
            for seed in (1, 1, 2)
        ]
    assert texts[0] == texts[1] != texts[2]


def test_an_answer_cut_at_max_tokens_says_so(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3")) as session:
        _, answer = _answer(
            session, _watch(session), Question("What?", sampling=Sampling(max_tokens=2))
        )
    assert answer.finish is FinishReason.LENGTH
    assert any("--max-tokens" in warning for warning in answer.warnings)


def test_chat_turns_cost_only_their_own_tokens(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3")) as session:
        talk = Conversation(session, _watch(session), VIDEO)
        held = []
        for question in ("What happens?", "And then?"):
            *_, answer = talk.ask(question, SHORT)
            assert isinstance(answer, Answer)
            held.append(answer.usage.prefix_cache)
    assert held[1] is CacheUse.HIT
    assert [turn.question for turn in talk.turns] == ["What happens?", "And then?"]


def test_chat_forgets_the_oldest_turn_before_the_context_overflows(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3"), n_ctx=768) as session:
        talk = Conversation(session, _watch(session), VIDEO)
        notes: list[str] = []
        for i in range(12):
            *_, answer = talk.ask(f"Question number {i}, and what about the rest of it?", SHORT)
            assert isinstance(answer, Answer)
            notes += answer.warnings
            assert answer.finish is not FinishReason.CONTEXT
    assert talk.n_dropped > 0
    assert any("forgotten" in note for note in notes)
    assert talk.turns[-1].question.startswith("Question number 11")


def _frames() -> list[SeenFrame]:
    moments = [Timestamp(i, Fraction(1)) for i in range(1, 5)]
    return [SeenFrame(i, t, t.seconds, "uniform") for i, t in enumerate(moments, 1)]


def test_citations_map_ids_to_times_and_drop_what_does_not_exist(pairs: PairCache) -> None:
    from vidcli.core.media import measure_coverage
    from vidcli.core.time import Span

    coverage = measure_coverage(Span(Fraction(0), Fraction(6)), [f.time.seconds for f in _frames()])
    text = "A dog runs [1,2]. It leaves [9]. Nobody is there [4, 7]."
    evidence, dropped = read_citations(text, _frames(), coverage)
    assert dropped == 2
    assert [item.quote for item in evidence] == ["A dog runs", "Nobody is there"]
    assert [(float(i.span.start), float(i.span.end)) for i in evidence] == [(1, 3), (4, 6)]


@pytest.mark.parametrize(
    ("n", "words"),
    [(8, "eight"), (21, "twenty-one"), (40, "forty"), (164, "one hundred and sixty-four")],
)
def test_counts_are_spelled_as_the_models_were_taught(n: int, words: str) -> None:
    assert spell_number(n) == words
