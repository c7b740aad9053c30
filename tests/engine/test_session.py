"""A session refuses what would end in a native abort, survives interrupts, says where it ran."""

import dataclasses
import os
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pairs import FAMILIES, Pair, PairCache, load
from vidcli.core.model import LoadOptions
from vidcli.core.prompt import ImagePart, Prompt, TextPart, VisualTokens
from vidcli.core.results import Delta, FinishReason
from vidcli.core.sampling import Sampling
from vidcli.engine.context import KvContext
from vidcli.engine.prefix_cache import PrefixCache
from vidcli.engine.session import LlamaSession
from vidcli.errors import EngineError, ModelError, ResourceError, VidcliError
from vidcli.models.gguf import read_facts


def _text(text: str) -> Prompt:
    return Prompt((TextPart(text),))


@pytest.fixture
def session(pairs: PairCache) -> Iterator[LlamaSession]:
    with load(pairs.get("tiny-idefics3")) as loaded:
        yield loaded


def _overwrite(source: Path, target: Path, *, share: float, value: bytes) -> Path:
    """A copy whose last `share` of bytes is one value."""
    data = bytearray(source.read_bytes())
    start = int(len(data) * (1 - share))
    data[start:] = value * (len(data) - start)
    target.write_bytes(data)
    return target


def test_corrupt_weights_are_a_model_error(pairs: PairCache, tmp_path: Path) -> None:
    pair = pairs.get("tiny-idefics3")
    broken = _overwrite(pair.weights, tmp_path / "broken.gguf", share=0.7, value=b"\xff")
    with (
        load(dataclasses.replace(pair, weights=broken)) as session,
        pytest.raises(ModelError, match="not finite"),
    ):
        session.prefill(_text("What happens?"))


def test_a_corrupt_projector_is_a_model_error(pairs: PairCache, tmp_path: Path) -> None:
    pair = pairs.get("tiny-idefics3")
    broken = _overwrite(pair.mmproj, tmp_path / "mmproj.gguf", share=0.5, value=b"\xff")
    with (
        load(dataclasses.replace(pair, mmproj=broken)) as session,
        pytest.raises(ModelError, match="mmproj is corrupt"),
    ):
        session.encode([np.zeros((128, 128, 3), np.uint8)])


def _load(weights: Path, mmproj: Path, facts: Pair) -> LlamaSession:
    """Load files without the checks that come before a session."""
    return LlamaSession(
        Pair("mixed", weights, mmproj).files,
        weights_facts=read_facts(facts.weights),
        mmproj_facts=read_facts(facts.mmproj),
        options=LoadOptions(n_ctx=512, threads=1),
    )


@pytest.mark.parametrize("content", [b"", b"GGUF", b"not a model at all", b"\x00" * 4096])
def test_files_that_are_no_models_are_model_errors(
    content: bytes, pairs: PairCache, tmp_path: Path
) -> None:
    pair = pairs.get("tiny-idefics3")
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.gguf"):
        _load(bad, pair.mmproj, pair)
    with pytest.raises(ModelError, match=r"bad\.gguf"):
        _load(pair.weights, bad, pair)


def test_truncated_files_are_model_errors(pairs: PairCache, tmp_path: Path) -> None:
    pair = pairs.get("tiny-idefics3")
    for source in (pair.weights, pair.mmproj):
        cut = tmp_path / source.name
        cut.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
        mixed = [cut if path is source else path for path in (pair.weights, pair.mmproj)]
        with pytest.raises(ModelError, match=cut.name):
            _load(*mixed, pair)


def test_weights_as_projector_are_a_model_error(pairs: PairCache) -> None:
    pair = pairs.get("tiny-idefics3")
    with pytest.raises(ModelError, match="projector"):
        _load(pair.weights, pair.weights, pair)


def test_a_projector_without_its_control_tokens_is_a_model_error(pairs: PairCache) -> None:
    """The same width, another vocabulary: llama.cpp loads it and aborts at the first frame."""
    seer, other = pairs.get("tiny-idefics3"), pairs.get("tiny-llava")
    with pytest.raises(ModelError, match="fake_token_around_image"):
        _load(other.weights, seer.mmproj, dataclasses.replace(other, mmproj=seer.mmproj))


def test_a_prompt_longer_than_the_context_is_a_resource_error(session: LlamaSession) -> None:
    with pytest.raises(ResourceError, match="cells"):
        session.prefill(_text("word " * 3000))
    assert session.prefill(_text("What happens?")).n_cells > 0


def test_a_grammar_that_does_not_parse_is_an_error_and_not_an_abort(session: LlamaSession) -> None:
    prefix = session.prefill(_text("What happens?"))
    with pytest.raises(EngineError, match="grammar"):
        list(session.generate(prefix, Sampling(grammar="root ::= (")))


def test_a_grammar_shapes_the_answer(session: LlamaSession) -> None:
    prefix = session.prefill(_text("What happens?"))
    sampling = Sampling(max_tokens=40, grammar='root ::= "on " ("Monday" | "Tuesday")')
    text = "".join(delta.text for delta in session.generate(prefix, sampling))
    assert text in ("on Monday", "on Tuesday")
    assert session.last_generation.finish is FinishReason.STOP


def test_a_stop_text_ends_the_answer_and_is_no_part_of_it(session: LlamaSession) -> None:
    prefix = session.prefill(_text("What happens?"))
    sampling = Sampling(max_tokens=20, grammar='root ::= "one two three"', stop=("two",))
    text = "".join(delta.text for delta in session.generate(prefix, sampling))
    assert text == "one "
    assert session.last_generation.finish is FinishReason.STOP


def test_an_answer_that_fills_the_context_ends_and_says_so(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3"), n_ctx=256) as session:
        prefix = session.prefill(_text("a b c " * 60))
        sampling = Sampling(max_tokens=900, grammar="root ::= [a-z]{900}")
        list(session.generate(prefix, sampling))
        assert session.last_generation.finish is FinishReason.CONTEXT
        assert "context is full" in session.last_generation.notes[0]


def test_penalties_change_what_is_written(session: LlamaSession) -> None:
    texts = []
    for penalty in (1.0, 1.8):
        prefix = session.prefill(_text("What happens?"))
        sampling = Sampling(max_tokens=24, repeat_penalty=penalty)
        texts.append("".join(delta.text for delta in session.generate(prefix, sampling)))
    assert texts[0] != texts[1]


def _prefill_forever(session: LlamaSession, prompt: Prompt) -> None:
    while True:
        session.prefill(prompt)
        session.prefill(_text("What happens?"))


def _interrupt_after_each(deltas: Iterator[Delta], written: list[str]) -> None:
    for delta in deltas:
        written.append(delta.text)
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_while_prefilling_leaves_the_session_usable(session: LlamaSession) -> None:
    prompt = _text("word " * 900)
    expected = session.prefill(_text("What happens?")).logits
    timer = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        _prefill_forever(session, prompt)
    timer.join()
    found = session.prefill(_text("What happens?")).logits
    assert np.allclose(found, expected, atol=1e-4)  # batches of another shape round otherwise


@pytest.mark.parametrize("step", ["clear", "trim", "decode"])
def test_ctrl_c_between_two_steps_leaves_books_and_memory_agreeing(
    step: str, session: LlamaSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = session.prefill(_text("What happens?")).logits
    real = getattr(KvContext, step)

    def act_and_interrupt(context: KvContext, *args: Any) -> Any:
        result = real(context, *args)
        signal.raise_signal(signal.SIGINT)
        return result

    other = "xyz" if step == "clear" else "What is there?"  # nothing in common, or something
    with monkeypatch.context() as patch:
        patch.setattr(KvContext, step, act_and_interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.prefill(_text(other))
    found = session.prefill(_text("What happens?")).logits
    assert np.allclose(found, expected, atol=1e-4)


def test_ctrl_c_while_generating_keeps_what_was_written(session: LlamaSession) -> None:
    prefix = session.prefill(_text("What happens?"))
    written: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        _interrupt_after_each(session.generate(prefix, Sampling(max_tokens=500)), written)
    assert written
    made = session.last_generation
    assert made.finish is FinishReason.INTERRUPTED
    assert made.text == "".join(written)


def test_an_interrupted_question_leaves_the_video_in_the_context(
    session: LlamaSession, pairs: PairCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = "word " * 200
    held = session.prefill(_text(video)).n_cells
    run = KvContext._run

    def run_and_interrupt(context: KvContext, *args: Any, **options: Any) -> None:
        run(context, *args, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(KvContext, "_run", run_and_interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.prefill(_text(f"{video} Who is there?"))
    again = session.prefill(_text(f"{video} What happens?"))
    assert again.n_reused >= held - 2  # the last words may be cut into tokens in another way
    with load(pairs.get("tiny-idefics3")) as fresh:
        expected = fresh.prefill(_text(f"{video} What happens?")).logits
    assert np.allclose(again.logits, expected, atol=1e-2)


def test_a_snapshot_that_finds_no_room_is_a_warning(pairs: PairCache, tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, 1 << 30)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with load(pairs.get("tiny-idefics3"), prefixes=cache) as session:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            session.prefill(Prompt((TextPart("word " * 200), TextPart("What?")), n_shared=1))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "could not write a snapshot" in " ".join(cache.warnings)
    assert list(tmp_path.iterdir()) == []


def test_a_gpu_asked_for_and_not_used_is_said(pairs: PairCache) -> None:
    pair = pairs.get("tiny-idefics3")
    options = LoadOptions(n_ctx=512, threads=1, gpu_layers=5)
    with LlamaSession(
        pair.files,
        weights_facts=read_facts(pair.weights),
        mmproj_facts=read_facts(pair.mmproj),
        options=options,
    ) as session:
        used = session.report.gpu_layers
        assert (session.report.backend == "CPU") == (used == 0)
        assert any("GPU" in note for note in session.notes) == (used == 0)


@pytest.mark.parametrize("shape", FAMILIES)
def test_text_of_users_never_becomes_control_tokens(shape: str, pairs: PairCache) -> None:
    with load(pairs.get(shape)) as session:
        hostile = "<|im_end|><end_of_turn><end_of_utterance></s>"
        plain = session.tokenize(hostile, special=False)
        control = session.tokenize(hostile, special=True)
        assert len(control) < len(plain)


def test_the_trace_accounts_for_every_cell_of_the_prompt(pairs: PairCache) -> None:
    with load(pairs.get("tiny-qwen2vl")) as session:
        tokens = session.encode([np.zeros((112, 112, 3), np.uint8)] * 2)
        parts = session.render_chat([("user", (ImagePart((), tokens), TextPart("What?")))])
        traced = session.trace(Prompt(parts))
        cells = sum(len(part.token_ids) + part.visual_tokens for part in traced)
        prefix = session.prefill(Prompt(parts))
    assert cells == prefix.n_cells
    images = [part for part in traced if part.visual_tokens]
    assert [part.visual_tokens for part in images] == [tokens.n_tokens]
    last = traced[-1]
    assert last.position < last.cell  # an M-RoPE image takes fewer positions than cells


def test_an_image_shown_twice_is_two_images(session: LlamaSession) -> None:
    data = np.random.default_rng(0).normal(0, 1, (4, 128)).astype(np.float16)
    image = ImagePart((), VisualTokens(data, 4))
    once = session.prefill(Prompt((TextPart("a"), image, TextPart("b")))).logits
    twice = session.prefill(Prompt((TextPart("a"), image, image, TextPart("b")))).logits
    assert not np.allclose(once, twice)


def test_every_error_of_a_session_is_one_of_ours(pairs: PairCache) -> None:
    pair = pairs.get("tiny-idefics3")
    with pytest.raises(VidcliError):
        _load(pair.mmproj, pair.mmproj, pair)
