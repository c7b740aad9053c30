"""Modes of `hybrid` on a real small model: each part of the prompt counts."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from tests.pairs import PairCache, load
from vidcli.core.media import FramePlan, PlannedFrame, measure_coverage
from vidcli.core.prompt import ImagePart, SeenFrame
from vidcli.core.results import CacheUse, VideoReport
from vidcli.core.sampling import Sampling
from vidcli.core.time import Span, Timestamp
from vidcli.core.tool_text import Mode, ToolLine, ToolSection
from vidcli.engine.session import LlamaSession
from vidcli.methods.ask import Question
from vidcli.methods.mixed import Mixing
from vidcli.methods.tool_sections import Found, plan_dense
from vidcli.methods.watch import Watched

SPAN = Span(Fraction(0), Fraction(4))
VIDEO = VideoReport("clip.mp4", "f" * 32, SPAN.end)
ASKED = Question("What happens?", sampling=Sampling(max_tokens=4))
SECTIONS = (ToolSection("speech", "subtitles", (ToolLine("hello there", SPAN),)),)


@pytest.fixture(scope="module", params=["tiny-idefics3", "tiny-qwen2vl"])
def session(pairs: PairCache, request: pytest.FixtureRequest) -> Iterator[LlamaSession]:
    with load(pairs.get(request.param)) as loaded:
        yield loaded


def look(session: LlamaSession, *, seed: int = 0) -> Watched:
    """Two pictures, or groups of them, of noise."""
    rng = np.random.default_rng(seed)
    width, height = session.frame_size((96, 64))
    group = session.profile.group
    images = []
    for start in (1, 1 + group):
        ids = range(start, start + group)
        frames = tuple(
            SeenFrame(i, Timestamp(i, Fraction(1, 2)), Fraction(i, 2), "uniform") for i in ids
        )
        noise = rng.integers(0, 256, (group, height, width, 3), np.uint8)
        images.append(ImagePart(frames, session.encode(list(noise))))
    times = [frame.time.seconds for image in images for frame in image.frames]
    return Watched(tuple(images), measure_coverage(SPAN, times), CacheUse.OFF, ())


def mix(session: LlamaSession, mode: Mode, *, seed: int = 0, sections=SECTIONS) -> Mixing:
    watched = look(session, seed=seed)
    if not mode.shows:
        watched = Watched((), watched.coverage, CacheUse.OFF, ())
    found = Found(sections if mode.tells else (), frames=look(session).frames)
    return Mixing(session, mode, watched, found, VIDEO)


def logits(mixing: Mixing) -> np.ndarray:
    mixing.session.forget()
    return np.array(mixing.session.prefill(mixing.assemble(ASKED).prompt).logits)


def text_of(mixing: Mixing) -> str:
    traced = mixing.session.trace(mixing.assemble(ASKED).prompt)
    return "".join(part.text for part in traced)


def test_text_shows_no_media_and_embed_tells_no_words(session: LlamaSession):
    """A4.2: text has zero media tokens, embed has zero tool text, hybrid has both."""
    shown, told = {}, {}
    for mode in Mode:
        mixing = mix(session, mode)
        traced = session.trace(mixing.assemble(ASKED).prompt)
        shown[mode] = sum(part.visual_tokens for part in traced)
        told[mode] = "hello there" in text_of(mixing)
        assert mixing.assemble(ASKED).mixture.visual_tokens == shown[mode]
    assert shown[Mode.TEXT] == 0
    assert shown[Mode.EMBED] == shown[Mode.HYBRID] == shown[Mode.TRANSCRIPT] > 0
    assert told == {mode: mode is not Mode.EMBED for mode in Mode}
    assert "tool" not in text_of(mix(session, Mode.EMBED)).casefold()


def test_each_ablation_changes_the_logits(session: LlamaSession):
    """A4.2: without the words, without the frames, with other words, with other frames."""
    other = (ToolSection("speech", "subtitles", (ToolLine("nobody left", SPAN),)),)
    hybrid = logits(mix(session, Mode.HYBRID))
    assert np.array_equal(logits(mix(session, Mode.HYBRID)), hybrid), "else anything would differ"
    for changed in (
        mix(session, Mode.EMBED),
        mix(session, Mode.TEXT),
        mix(session, Mode.HYBRID, sections=other),
        mix(session, Mode.HYBRID, seed=1),
        mix(session, Mode.TRANSCRIPT),
    ):
        assert np.abs(logits(changed) - hybrid).max() > 1e-3


def test_a_transcript_stands_before_the_frames(session: LlamaSession):
    """Video-LLaMA: audio-first prompt order: what is said, then visual tokens, then the question.

    Its audio branch is a transcript here, and counts: other words give other logits.
    """
    mixing = mix(session, Mode.TRANSCRIPT)
    made = mixing.assemble(ASKED)
    kinds = ["frames" if part.visual_tokens else part.text for part in session.trace(made.prompt)]
    said = next(i for i, kind in enumerate(kinds) if "hello there" in kind)
    asked = next(i for i, kind in enumerate(kinds) if ASKED.text in kind)
    frames = [i for i, kind in enumerate(kinds) if kind == "frames"]
    assert said < frames[0] < frames[-1] < asked
    assert made.mixture.mode.order == ("words", "frames", "question")
    whole = logits(mixing)
    other = (ToolSection("speech", "subtitles", (ToolLine("nobody left", SPAN),)),)
    assert np.abs(logits(mix(session, Mode.TRANSCRIPT, sections=other)) - whole).max() > 1e-3


def test_a_second_question_shares_the_transcript_and_the_frames(session: LlamaSession):
    mixing = mix(session, Mode.TRANSCRIPT)
    list(mixing.ask("What happens?", Sampling(max_tokens=4)))
    prompt = mixing.assemble(ASKED).prompt
    shared = "".join(part.text for part in prompt.parts[: prompt.n_shared] if hasattr(part, "text"))
    assert "hello there" in shared
    assert text_of(mixing).count("hello there") == 1


def test_a_second_turn_knows_the_first_and_shows_the_video_once(session: LlamaSession):
    mixing = mix(session, Mode.HYBRID)
    list(mixing.ask("What happens?", Sampling(max_tokens=4)))
    assert [turn.question for turn in mixing.turns] == ["What happens?"]
    text = text_of(mixing)
    assert text.count("hello there") == text.count("sampled at") == 1
    first = mixing.assemble(ASKED)
    assert (
        first.mixture.visual_tokens
        == mix(session, Mode.HYBRID).assemble(ASKED).mixture.visual_tokens
    )


def test_text_mode_answers_with_the_frames_its_tools_saw(session: LlamaSession):
    mixing = mix(session, Mode.TEXT)
    mixing.found.frame_tokens = (1,) * len(mixing.found.frames)
    *_, answer = mixing.ask("What happens?", Sampling(max_tokens=4))
    assert answer.usage.visual_tokens == 0
    assert answer.frames == mixing.found.frames
    assert answer.evidence[0].frames == mixing.found.frames


def plan(*times: float, end: float) -> FramePlan:
    frames = tuple(PlannedFrame(Fraction(time), "uniform") for time in times)
    return FramePlan(Span(Fraction(0), Fraction(end)), frames, "uniform")


def test_dense_parts_are_five_seconds_and_tile_the_span():
    """VideoChat-Text: dense every 5 s."""
    dense = plan_dense(plan(*range(20), end=20))
    assert dense is not None
    assert [part.span.length for part in dense.segments] == [5] * 4
    assert [part.span.start for part in dense.segments] == [0, 5, 10, 15]
    for part in dense.segments:
        assert len(part.frames.frames) == 4
        assert all(frame.time in part.span for frame in part.frames.frames)


def test_frames_too_far_apart_give_no_dense_captions():
    assert plan_dense(plan(*range(0, 60, 4), end=60)) is None
    assert plan_dense(plan(0, 1, 2, end=3), group=2) is None
