"""The same model twice, torch and llama.cpp, on the same clip."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from vidcli.core.model import LoadOptions, ModelFiles
from vidcli.core.prompt import ImagePart, Part, Prompt
from vidcli.engine.scribe import Scribe
from vidcli.engine.session import LlamaSession
from vidcli.models.gguf import read_facts
from vidcli.train.batches import collate
from vidcli.train.frames import Clip
from vidcli.train.model import VideoModel
from vidcli.train.prompts import IGNORED, Row, Said, compose, write_row


@contextmanager
def served(files: ModelFiles) -> Iterator[LlamaSession]:
    """The files in llama.cpp."""
    session = LlamaSession(
        files,
        weights_facts=read_facts(files.weights),
        mmproj_facts=read_facts(files.mmproj),
        options=LoadOptions(n_ctx=1024, threads=1, gpu_layers=0, mmproj_gpu=False),
    )
    with session:
        yield session


@contextmanager
def scribe_of(weights: Path, mmproj: Path) -> Iterator[Scribe]:
    files = ModelFiles(weights, mmproj, "0" * 64, "1" * 64, "x")
    facts = read_facts(weights), read_facts(mmproj)
    with Scribe(files, weights_facts=facts[0], mmproj_facts=facts[1]) as scribe:
        yield scribe


def encoded(session: LlamaSession, prompt: Prompt, clip: Clip) -> Prompt:
    """The prompt with the frames as llama.cpp encodes them."""
    assert clip.pixels is not None
    pixels = iter(clip.pixels)
    parts: list[Part] = [
        ImagePart(part.frames, session.encode(list(next(pixels))))
        if isinstance(part, ImagePart)
        else part
        for part in prompt.parts
    ]
    return Prompt(tuple(parts), prompt.n_shared)


def their_logits(session: LlamaSession, scribe: Scribe, clip: Clip, said: list[Said]) -> np.ndarray:
    """Logits of the first token of the reply, by llama.cpp."""
    prompt = encoded(session, compose(scribe, clip, said), clip)
    return session.prefill(prompt).logits


def next_logits(model: VideoModel, row: Row, clip: Clip) -> np.ndarray:
    """Logits of the token after a row, by torch."""
    ids = np.append(row.ids, 0)
    labels = np.full(len(ids), IGNORED, np.int64)
    labels[-1] = 0
    positions = row.positions
    if positions is not None:
        positions = np.concatenate(
            [positions, positions[:, -1:].max(keepdims=True) + 1 + np.zeros((3, 1), np.int64)],
            axis=1,
        )
    with torch.no_grad():
        features = model.encode(torch.from_numpy(clip.pixels))
        batch = collate([Row(ids, labels, positions)], [features], device=model.device)
        logits, _ = model.logits(batch)
    return logits[0].float().numpy()


def our_logits(model: VideoModel, scribe: Scribe, clip: Clip, said: list[Said]) -> np.ndarray:
    """Logits of the first token of the reply, by torch."""
    return next_logits(model, write_row(scribe, clip, said), clip)


def say_greedily(model: VideoModel, scribe: Scribe, clip: Clip, question: str, n: int = 12) -> str:
    """What torch answers, the likeliest token at a time."""
    row = write_row(scribe, clip, [Said(question)])
    written = ""
    for _ in range(n):
        token = int(next_logits(model, row, clip).argmax())
        if scribe.is_end(token):
            break
        written += scribe.text_of(token)
        row = Row(np.append(row.ids, token), np.append(row.labels, IGNORED), row.positions)
    return written.strip()
