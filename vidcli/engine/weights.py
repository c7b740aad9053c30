"""A loaded language model: vocabulary, tokenising, metadata, where its layers went."""

import ctypes
import os
import re
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from llama_cpp import llama_cpp as llama

from vidcli.core.model import LoadOptions
from vidcli.engine import native
from vidcli.engine.owned import Owned
from vidcli.errors import ModelError

VOCAB_SENTENCEPIECE = 1
ROPE_TYPES_MROPE = (8, 40)  # LLAMA_ROPE_TYPE_MROPE, _IMROPE: four positions a token


class Weights(Owned):
    """Owns a `llama_model`.

    Args:
        path: Weights GGUF (the first part of a split one).
        options: GPU layers and device.

    Raises:
        ModelError: llama.cpp cannot load the file; its own last words are the reason.
    """

    def __init__(self, path: Path, options: LoadOptions) -> None:
        native.start()
        self._stack = ExitStack()
        params = llama.llama_model_default_params()
        # A "-1" of ours means all: llama.cpp wants a number no model reaches.
        params.n_gpu_layers = options.gpu_layers if options.gpu_layers >= 0 else 1_000_000
        params.main_gpu = options.main_gpu
        params.progress_callback = native.go_on_loading
        native.forget_log()
        with native.interruptible():
            self.pointer = llama.llama_model_load_from_file(os.fsencode(path), params)
        if not self.pointer:
            raise ModelError(
                f"cannot load {path.name}: {native.explain_failure()}",
                hint="check that the file is whole and a language model GGUF",
            )
        self._stack.callback(llama.llama_model_free, self.pointer)
        log = native.read_log()
        self.offloaded, self.n_layers_offloadable = _read_offload(log)
        self._devices = [m[1] for line in log if (m := re.search(r"using device (\S+)", line))]
        self.vocab = llama.llama_model_get_vocab(self.pointer)

    @cached_property
    def n_vocab(self) -> int:
        """Vocabulary entries, and so logits."""
        return int(llama.llama_vocab_n_tokens(self.vocab))

    @cached_property
    def n_embd_inp(self) -> int:
        """Width of an injected visual token; wider than the hidden state under deepstack."""
        return int(llama.llama_model_n_embd_inp(self.pointer))

    @cached_property
    def n_ctx_train(self) -> int:
        """Context the model was trained with."""
        return int(llama.llama_model_n_ctx_train(self.pointer))

    @cached_property
    def is_mrope(self) -> bool:
        """Whether a position is (t, y, x, z) and not one number."""
        return llama.llama_model_rope_type(self.pointer) in ROPE_TYPES_MROPE

    def meta(self, key: str) -> str:
        """A metadata value as text; empty where the file has none."""
        size = 1 << 10
        while True:
            buffer = ctypes.create_string_buffer(size)
            n = llama.llama_model_meta_val_str(self.pointer, key.encode(), buffer, size)
            if n < size:
                return buffer.value.decode("utf-8", "replace") if n >= 0 else ""
            size = n + 1

    @cached_property
    def chat_template(self) -> str:
        """The model's own Jinja chat template; empty where the file has none."""
        found = llama.llama_model_chat_template(self.pointer, None)
        return found.decode("utf-8", "replace") if found else ""

    def tokenize(self, text: str, *, special: bool, at_start: bool = False) -> list[int]:
        """Token ids of `text`.

        Args:
            text: Any text; lone surrogates become U+FFFD.
            special: Parse control tokens written in it. False for text of users and videos.
            at_start: Whether it opens the sequence, where SentencePiece may add a space.
        """
        if not at_start and self._adds_space_prefix and text:
            # The added space belongs to the start of a sequence, not to every part of ours: let a
            # line break take it, then drop both.
            lead = self._tokenize("\n", special=False)
            return self._tokenize("\n" + text, special=special)[len(lead) :]
        return self._tokenize(text, special=special)

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        raw = text.encode("utf-8", "replace")
        buffer = (llama.llama_token * (len(raw) + 8))()
        n = llama.llama_tokenize(self.vocab, raw, len(raw), buffer, len(buffer), False, special)
        if n < 0:
            buffer = (llama.llama_token * -n)()
            n = llama.llama_tokenize(self.vocab, raw, len(raw), buffer, len(buffer), False, special)
        return list(buffer[:n])

    @cached_property
    def _adds_space_prefix(self) -> bool:
        kind = llama.llama_vocab_type(self.vocab)
        said = self.meta("tokenizer.ggml.add_space_prefix")
        return kind == VOCAB_SENTENCEPIECE and said != "false"

    def piece(self, token: int) -> bytes:
        """Bytes a token stands for; may be part of a character. Control tokens are empty."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            n = llama.llama_token_to_piece(self.vocab, token, buffer, size, 0, False)
            if n >= 0:
                return buffer.raw[:n]
            size = -n

    def find_token(self, text: str) -> int | None:
        """Id of the one token spelled exactly `text`, None where there is none."""
        ids = self._tokenize(text, special=True)
        return ids[0] if len(ids) == 1 else None

    def is_end(self, token: int) -> bool:
        """Whether the token ends a reply."""
        return bool(llama.llama_vocab_is_eog(self.vocab, token))

    @cached_property
    def bos(self) -> int | None:
        """Id every sequence starts with; None where the model wants none."""
        wanted = llama.llama_vocab_get_add_bos(self.vocab)
        token = int(llama.llama_vocab_bos(self.vocab))
        return token if wanted and token >= 0 else None

    def token_text(self, token: int) -> str:
        """How a token, control tokens included, is spelled in the vocabulary; empty if invalid."""
        if not 0 <= token < self.n_vocab:
            return ""
        return bytes(llama.llama_vocab_get_text(self.vocab, token)).decode("utf-8", "replace")

    @cached_property
    def bos_text(self) -> str:
        """Spelling of the first token, for chat templates that write it."""
        return self.token_text(int(llama.llama_vocab_bos(self.vocab)))

    @cached_property
    def eos_text(self) -> str:
        """Spelling of the end token, for chat templates that write it."""
        return self.token_text(int(llama.llama_vocab_eos(self.vocab)))

    @property
    def backend(self) -> str:
        """Where the layers really are: `CPU`, or the device names llama.cpp reported."""
        return ", ".join(self._devices) if self.offloaded and self._devices else "CPU"


def _read_offload(lines: list[str]) -> tuple[int, int]:
    for line in lines:
        found = re.search(r"offloaded (\d+)/(\d+) layers to GPU", line)
        if found:
            return int(found[1]), int(found[2])
    return 0, 0
