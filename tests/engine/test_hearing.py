"""A model with an audio encoder hears through mtmd: real llama.cpp on a small Ultravox."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.pairs import PairCache
from tests.whisper import silence, speak
from vidcli.core.model import LoadOptions
from vidcli.core.prompt import ImagePart, Prompt, TextPart
from vidcli.core.sampling import Sampling
from vidcli.engine.hearing import HearingSession
from vidcli.engine.load import load_hearing
from vidcli.engine.trial import Trial, try_model
from vidcli.errors import ModelError
from vidcli.models.gguf import read_facts

TOKENS = 75  # of half a minute: 3000 frames, halved by a convolution, 20 stacked in each


def load(pairs: PairCache, shape: str = "tiny-ultravox") -> HearingSession:
    pair = pairs.get(shape)
    return load_hearing(
        pair.files,
        weights_facts=read_facts(pair.weights),
        mmproj_facts=read_facts(pair.mmproj),
        options=LoadOptions(n_ctx=1024, threads=1),
    )


@pytest.fixture(scope="module")
def session(pairs: PairCache) -> Iterator[HearingSession]:
    with load(pairs) as session:
        yield session


def logits_of(session: HearingSession, samples: np.ndarray) -> np.ndarray:
    session.forget()
    part = ImagePart((), session.encode_sound(samples))
    return session.prefill(Prompt((part, TextPart("What is said?")))).logits


def test_a_sound_becomes_tokens_of_the_language_models_width(session: HearingSession):
    tokens = session.encode_sound(speak(3))
    assert tokens.data.shape == (TOKENS, 128)
    assert tokens.n_cells == tokens.n_pos == TOKENS
    assert np.isfinite(tokens.data).all()


def test_the_context_grows_by_exactly_the_tokens_of_the_sound(session: HearingSession):
    tokens = session.encode_sound(speak(3))
    text = (TextPart("What is said?"),)
    alone, heard = (
        session.prefill(Prompt(parts)).n_cells for parts in (text, (ImagePart((), tokens), *text))
    )
    assert heard - alone == tokens.n_cells


def test_what_is_heard_changes_the_logits(session: HearingSession):
    low, high = (logits_of(session, speak(3, voice=voice)) for voice in ("low", "high"))
    assert np.abs(low - high).max() > 1e-3
    assert np.array_equal(low, logits_of(session, speak(3))), "and the same sound does not"


def test_when_something_is_said_changes_the_logits(session: HearingSession):
    early = np.concatenate([speak(2), silence(8)])
    late = np.concatenate([silence(8), speak(2)])
    assert np.abs(logits_of(session, early) - logits_of(session, late)).max() > 1e-3


def test_half_a_minute_and_more_becomes_several_chunks(session: HearingSession):
    assert session.encode_sound(silence(45)).n_tokens == 2 * TOKENS


def test_it_answers_the_same_every_time(session: HearingSession):
    part = ImagePart((), session.encode_sound(speak(2)))
    prompt = Prompt(session.render_chat([("user", (part, TextPart("What is said?")))]))
    answers = []
    for _ in range(2):
        session.forget()
        prefix = session.prefill(prompt)
        answers.append([d.text for d in session.generate(prefix, Sampling(max_tokens=8))])
    assert answers[0] == answers[1] != []


def test_a_projector_that_sees_but_does_not_hear_is_refused(pairs: PairCache):
    with pytest.raises(ModelError, match="does not hear"):
        load(pairs, "tiny-llava")


def test_the_report_names_both_files(session: HearingSession):
    assert session.report.projector == "ultravox"
    assert session.report.mmproj_sha256 == "b" * 64


def test_its_first_use_is_in_a_process_of_its_own(pairs: PairCache, tmp_path):  # type: ignore[no-untyped-def]
    pair = pairs.get("tiny-ultravox")
    facts = read_facts(pair.weights), read_facts(pair.mmproj)
    options = LoadOptions(n_ctx=1024, threads=1)
    try_model(Trial(pair.files, *facts, options, hears=True), tmp_path)
    assert len(list(tmp_path.iterdir())) == 1, "a mark, so that it is done once"


def test_what_would_end_the_process_ends_the_trial(tmp_path, pairs: PairCache):  # type: ignore[no-untyped-def]
    """A stack of 8 frames is what this llama.cpp aborts on: 188 tokens for 187 expected."""
    from dataclasses import replace

    from vidcli.models import shapes

    spec = shapes.read_shape("tiny-ultravox")
    spec["mmproj"]["metadata"]["clip.audio.projector.stack_factor"] = 8
    spec["mmproj"]["tensors"]["mm.a.norm_pre.weight"] = [512]
    spec["mmproj"]["tensors"]["mm.a.mlp.1.weight"] = [256, 512]
    broken = tmp_path / "mmproj-broken.gguf"
    shapes._write(broken, spec["mmproj"], seed=1, vocabulary=None)
    pair = pairs.get("tiny-ultravox")
    files = replace(pair.files, mmproj=broken, mmproj_sha256="c" * 64)
    trial = Trial(
        files,
        read_facts(pair.weights),
        read_facts(broken),
        LoadOptions(n_ctx=1024, threads=1),
        hears=True,
    )
    with pytest.raises(ModelError, match="end with SIGABRT"):
        try_model(trial, tmp_path / "marks")
    assert not (tmp_path / "marks").exists() or not list((tmp_path / "marks").iterdir())
