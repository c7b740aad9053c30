"""A language model by itself: loaded without a projector, scored as it writes, the same again."""

import dataclasses
import string
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.engine.byte_model import write_byte_model
from tests.pairs import PairCache, load
from vidcli.core.model import LanguageFiles, LoadOptions
from vidcli.core.prompt import ImagePart, Prompt, TextPart
from vidcli.core.sampling import Sampling
from vidcli.engine.language import LanguageSession
from vidcli.engine.load import load_language
from vidcli.engine.sampler import log_probability
from vidcli.engine.session import LlamaSession
from vidcli.engine.trial import Trial, try_model
from vidcli.errors import ModelError
from vidcli.models.gguf import read_facts
from vidcli.models.pair import resolve_language

LETTERS = f"root ::= [{string.ascii_lowercase}]{{12,30}}"
NUCLEUS = Sampling(max_tokens=40, temperature=0.7, top_p=0.95, scored=True)


@pytest.fixture(scope="module")
def bytes_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_byte_model(tmp_path_factory.mktemp("alone") / "bytes.gguf")


@pytest.fixture
def language(bytes_file: Path) -> Iterator[LanguageSession]:
    files = resolve_language(bytes_file)
    options = LoadOptions(n_ctx=512, gpu_layers=0, threads=1)
    with load_language(files, facts=read_facts(bytes_file), options=options) as session:
        yield session


def _prompt(session: LanguageSession, text: str) -> Prompt:
    return Prompt(session.render_chat([("user", (TextPart(text),))]))


def _write(session: LanguageSession, prompt: Prompt, sampling: Sampling) -> str:
    return "".join(delta.text for delta in session.generate(session.prefill(prompt), sampling))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_log_probabilities_are_those_that_scoring_finds(
    language: LanguageSession, seed: int
) -> None:
    """Bytes are tokens one for one, so that scoring sees the tokens that were drawn."""
    prompt = _prompt(language, "What happens?")
    sampling = dataclasses.replace(NUCLEUS, grammar=LETTERS, seed=seed)
    text = _write(language, prompt, sampling)
    made = language.last_generation
    assert made.completion_tokens == len(text)
    assert made.log_probability is not None
    (mean,) = language.score(language.prefill(prompt), [text])
    assert made.log_probability / made.completion_tokens == pytest.approx(mean, abs=1e-4)


def test_a_log_probability_is_that_of_the_whole_vocabulary_in_float64() -> None:
    logits = (np.random.default_rng(0).standard_normal(150_000) * 5).astype(np.float32)
    exact = logits.astype(np.float64)
    exact -= np.log(np.exp(exact - exact.max()).sum()) + exact.max()
    for token in (0, 7, int(logits.argmax()), int(logits.argmin())):
        assert log_probability(logits, token) == pytest.approx(exact[token], abs=1e-6)
    extreme = np.array([-1e30, 3e4, 0.0], np.float32)
    assert log_probability(extreme, 1) == 0
    assert log_probability(extreme, 0) < -1e29


def test_every_answer_about_one_video_is_scored_with_the_video(pairs: PairCache) -> None:
    """One token each, so that scoring sees what was drawn; the first is drawn from the prefill."""
    with load(pairs.get("tiny-idefics3")) as session:
        images = [np.full((128, 128, 3), shade, np.uint8) for shade in (0, 255)]
        means = []
        for image in images:
            parts = (ImagePart((), session.encode([image])), TextPart("What?"))
            prefix = session.prefill(Prompt(session.render_chat([("user", parts)])))
            for grammar in ('root ::= "a"', 'root ::= "b"', 'root ::= "a"'):
                list(session.generate(prefix, Sampling(grammar=grammar, scored=True)))
                made = session.last_generation
                (mean,) = session.score(prefix, [made.text])
                assert made.completion_tokens == 1
                assert made.log_probability == pytest.approx(mean, abs=1e-3)
                means.append(mean)
        assert means[0] == pytest.approx(means[2], abs=1e-3)
        assert abs(means[0] - means[3]) > 1e-3, "the picture decides"


def test_log_probabilities_cost_nothing_where_they_are_not_asked_for(
    language: LanguageSession,
) -> None:
    _write(language, _prompt(language, "What?"), Sampling(max_tokens=4))
    assert language.last_generation.log_probability is None


def test_after_forgetting_a_seed_repeats_whatever_came_before(language: LanguageSession) -> None:
    sampling = dataclasses.replace(NUCLEUS, temperature=1.0, seed=5)
    prompt = _prompt(language, "What happens in it?")
    language.forget()
    wanted = _write(language, prompt, sampling), language.last_generation.log_probability
    _write(language, _prompt(language, "What happens here, and why?"), sampling)
    language.forget()
    assert language.prefill(prompt).n_reused == 0
    language.forget()
    found = _write(language, prompt, sampling), language.last_generation.log_probability
    assert found == wanted


def test_weights_of_a_pair_answer_without_their_projector(pairs: PairCache, tmp_path: Path) -> None:
    weights = tmp_path / "alone.gguf"
    weights.symlink_to(pairs.get("tiny-idefics3").weights)
    files = resolve_language(tmp_path)
    options = LoadOptions(n_ctx=512, threads=1)
    with load_language(files, facts=read_facts(weights), options=options) as session:
        assert not isinstance(session, LlamaSession)
        assert _write(session, _prompt(session, "Hello"), Sampling(max_tokens=4)) is not None
        assert session.report.mmproj_sha256 == session.report.projector == ""
        assert session.report.name == "alone"


def test_a_projector_is_no_language_model(pairs: PairCache) -> None:
    with pytest.raises(ModelError, match=r"is a vision projector .* not a language model"):
        resolve_language(pairs.get("tiny-idefics3").mmproj)


def test_a_language_model_is_tried_in_another_process_first(
    bytes_file: Path, tmp_path: Path
) -> None:
    facts, options = read_facts(bytes_file), LoadOptions(n_ctx=256, threads=1)
    try_model(Trial(resolve_language(bytes_file), facts, None, options), tmp_path / "tried")
    assert len(list((tmp_path / "tried").iterdir())) == 1
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(bytes_file.read_bytes()[:-4096])
    with pytest.raises(ModelError, match=r"cut\.gguf"):
        try_model(Trial(LanguageFiles(cut, "c" * 64, "cut"), facts, None, options), tmp_path / "no")
    assert not (tmp_path / "no").exists()
