"""The graphics cards that this build of llama.cpp can use, and the memory they have free."""

import ctypes
from dataclasses import dataclass
from typing import Any

from llama_cpp._ggml import libggml

from vidcli.engine import native

GPU_TYPES = (1, 2)  # GGML_BACKEND_DEVICE_TYPE_GPU, _IGPU


@dataclass(frozen=True, slots=True)
class Device:
    """One graphics card.

    Attributes:
        name: llama.cpp's name, such as `CUDA0` or `Metal`.
        description: The card's own name.
        free_bytes: Memory free now.
        total_bytes: Memory in all.
    """

    name: str
    description: str
    free_bytes: int
    total_bytes: int


def list_gpus() -> tuple[Device, ...]:
    """Graphics cards in llama.cpp's order, which `--main-gpu` counts in; empty without any."""
    native.start()
    ggml = _declared()
    devices = [ggml.ggml_backend_dev_get(i) for i in range(ggml.ggml_backend_dev_count())]
    return tuple(
        _describe(ggml, device)
        for device in devices
        if ggml.ggml_backend_dev_type(device) in GPU_TYPES
    )


def _describe(ggml: Any, device: int) -> Device:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    ggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
    name, description = (
        read(device).decode("utf-8", "replace")
        for read in (ggml.ggml_backend_dev_name, ggml.ggml_backend_dev_description)
    )
    return Device(name, description, free.value, total.value)


def _declared() -> Any:
    """The ggml library with the signatures that its Python binding leaves out."""
    sizes = ctypes.POINTER(ctypes.c_size_t)
    for name, result, arguments in (
        ("ggml_backend_dev_count", ctypes.c_size_t, []),
        ("ggml_backend_dev_get", ctypes.c_void_p, [ctypes.c_size_t]),
        ("ggml_backend_dev_type", ctypes.c_int, [ctypes.c_void_p]),
        ("ggml_backend_dev_name", ctypes.c_char_p, [ctypes.c_void_p]),
        ("ggml_backend_dev_description", ctypes.c_char_p, [ctypes.c_void_p]),
        ("ggml_backend_dev_memory", None, [ctypes.c_void_p, sizes, sizes]),
    ):
        function = getattr(libggml, name)
        function.restype, function.argtypes = result, arguments
    return libggml
