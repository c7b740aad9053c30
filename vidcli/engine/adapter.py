"""A LoRA adapter on a loaded language model."""

import ctypes
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from llama_cpp import llama_cpp as llama

from vidcli.engine import native
from vidcli.engine.owned import Owned
from vidcli.engine.weights import Weights
from vidcli.errors import EngineError, ModelError


class Adapter(Owned):
    """Owns a `llama_adapter_lora`; must be closed before the weights are.

    Args:
        path: Adapter GGUF that `models.adapter.check_adapter` found to belong to the weights.
        weights: What it is for; must outlive this.

    Raises:
        ModelError: llama.cpp cannot load it.
    """

    def __init__(self, path: Path, weights: Weights) -> None:
        self._stack = ExitStack()
        native.forget_log()
        self.pointer = llama.llama_adapter_lora_init(weights.pointer, os.fsencode(path))
        if not self.pointer:
            raise ModelError(
                f"cannot load adapter {path.name}: {native.explain_failure()}",
                hint="use it with the model it was trained on",
            )
        self._stack.callback(llama.llama_adapter_lora_free, self.pointer)

    def apply(self, context: Any, scale: float) -> None:
        """Let it count in a context, so many times as strongly as it was trained.

        Raises:
            EngineError: llama.cpp refused.
        """
        adapters = (llama.llama_adapter_lora_p_ctypes * 1)(self.pointer)
        scales = (ctypes.c_float * 1)(scale)
        if llama.llama_set_adapters_lora(context, adapters, 1, scales):
            raise EngineError(f"the adapter could not be applied: {native.explain_failure()}")
