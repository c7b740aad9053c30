"""Weights in fewer bits, by llama.cpp itself."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from llama_cpp import llama_cpp as llama

from vidcli.engine import native
from vidcli.errors import EngineError, UsageError

_PREFIXES = ("LLAMA_FTYPE_MOSTLY_", "LLAMA_FTYPE_ALL_")


def list_quants() -> dict[str, int]:
    """Numbers of file types by name, such as `Q8_0` and `Q4_K_M`, as llama.cpp has them."""
    return {
        name.removeprefix(prefix): int(value)
        for prefix in _PREFIXES
        for name, value in vars(llama).items()
        if name.startswith(prefix)
    }


def quantize(source: Path, target: Path, quant: str, *, threads: int = 1) -> None:
    """Write weights in another type under a temporary name, then rename.

    Args:
        source: Weights GGUF.
        target: Its directory must exist.
        quant: As `Q8_0` or `Q4_K_M`, whatever the case.
        threads: Processor threads.

    Raises:
        UsageError: There is no such type.
        EngineError: llama.cpp cannot do it.
    """
    known = list_quants()
    name = quant.upper()
    if name not in known:
        raise UsageError(
            f"llama.cpp knows no type {quant}",
            hint="Q8_0 is nearly exact, Q4_K_M half its size",
        )
    native.start()
    params = llama.llama_model_quantize_default_params()
    params.ftype, params.nthread, params.allow_requantize = known[name], threads, True
    native.forget_log()
    with TemporaryDirectory(dir=target.parent, prefix=".") as folder:
        made = Path(folder) / target.name
        code = llama.llama_model_quantize(os.fsencode(source), os.fsencode(made), params)
        if code:
            raise EngineError(
                f"{source.name} cannot be written as {name}: {native.explain_failure()}",
                hint="Q8_0 suits every size",
            )
        os.replace(made, target)
