"""A language model of 260 tokens, one for each byte, with random weights: kilobytes, milliseconds.

Made for driving llama.cpp's own grammar sampler and state files; what it says means nothing.
"""

import ctypes
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from llama_cpp import llama_cpp as llama

from vidcli.engine.weights import Weights

UNKNOWN, BOS, EOS, PAD = 0, 1, 2, 3
FIRST_BYTE = 4
N_VOCAB = FIRST_BYTE + 256
Sampler = Any  # a pointer
N_EMBD, N_FF, N_HEAD, N_CTX_TRAIN = 32, 64, 4, 512


def write_byte_model(path: Path) -> Path:
    """Write the model; returns the path."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(N_CTX_TRAIN)
    writer.add_embedding_length(N_EMBD)
    writer.add_feed_forward_length(N_FF)
    writer.add_block_count(1)
    writer.add_head_count(N_HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(N_EMBD // N_HEAD)
    _add_vocabulary(writer)
    _add_tensors(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_vocabulary(writer: gguf.GGUFWriter) -> None:
    kinds = gguf.TokenType
    special = [b"<unk>", b"<s>", b"</s>", b"<pad>"]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([*special, *(f"<0x{byte:02X}>".encode() for byte in range(256))])
    writer.add_token_scores([0.0] * N_VOCAB)
    writer.add_token_types(
        [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL, kinds.CONTROL, *[kinds.BYTE] * 256]
    )
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_pad_token_id(PAD)


def _add_tensors(writer: gguf.GGUFWriter) -> None:
    normal = np.random.default_rng(0).standard_normal
    square = [N_EMBD, N_EMBD]
    shapes = {
        "token_embd": [N_VOCAB, N_EMBD],
        "output": [N_VOCAB, N_EMBD],
        "blk.0.attn_q": square,
        "blk.0.attn_k": square,
        "blk.0.attn_v": square,
        "blk.0.attn_output": square,
        "blk.0.ffn_gate": [N_FF, N_EMBD],
        "blk.0.ffn_up": [N_FF, N_EMBD],
        "blk.0.ffn_down": [N_EMBD, N_FF],
    }
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", normal(shape).astype(np.float32) * 0.3)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(N_EMBD, np.float32))


class GrammarDriver:
    """llama.cpp's grammar sampler over the byte vocabulary."""

    def __init__(self, weights: Weights) -> None:
        self._vocab = weights.vocab

    def accepts(self, grammar: str, text: str | bytes) -> bool:
        """Whether the grammar allows this text and an end right behind it."""
        content = text.encode() if isinstance(text, str) else text
        with self._sampler(grammar) as sampler:
            for byte in content:
                token = FIRST_BYTE + byte
                if token not in self._allowed(sampler, np.array([token])):
                    return False
                llama.llama_sampler_accept(sampler, token)
            return EOS in self._allowed(sampler, np.array([EOS]))

    def write(self, grammar: str, seed: int, *, longest: int = 1500) -> str | None:
        """Write a random text that the grammar allows; None where it grew beyond `longest` bytes.

        Fails where the grammar leads into a dead end.
        """
        chance, written = random.Random(seed), bytearray()
        with self._sampler(grammar) as sampler:
            while len(written) < longest:
                allowed = self._allowed(sampler, np.arange(N_VOCAB))
                assert len(allowed), f"dead end after {bytes(written)!r}"
                weights = [_WEIGHTS[token] for token in allowed]
                (token,) = chance.choices(allowed, weights)
                if token == EOS:
                    return written.decode()
                llama.llama_sampler_accept(sampler, token)
                written.append(token - FIRST_BYTE)
        return None

    @contextmanager
    def _sampler(self, grammar: str) -> Iterator[Sampler]:
        sampler = llama.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")
        assert sampler, f"llama.cpp refused the grammar:\n{grammar}"
        try:
            yield sampler
        finally:
            llama.llama_sampler_free(sampler)

    def _allowed(self, sampler: Sampler, tokens: np.ndarray) -> list[int]:
        candidates = np.zeros(len(tokens), _CANDIDATE)
        candidates["id"] = tokens
        pointer = candidates.ctypes.data_as(ctypes.POINTER(llama.llama_token_data))
        array = llama.llama_token_data_array(pointer, len(tokens), -1, False)
        llama.llama_sampler_apply(sampler, ctypes.byref(array))
        return [int(token) for token in candidates["id"][candidates["logit"] > -1]]


_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
_RARE = 1e-9  # bytes that start three and four byte characters, or none at all
_WEIGHTS = [0.0] * FIRST_BYTE + [1.0] * 128 + [0.2] * 64 + [_RARE] * 2 + [0.2] * 30 + [_RARE] * 32
_WEIGHTS[EOS] = 20.0
for _letter in '"]},:':  # so that texts come to an end
    _WEIGHTS[FIRST_BYTE + ord(_letter)] = 12.0
_WEIGHTS[FIRST_BYTE + ord("\\")] = 4.0
