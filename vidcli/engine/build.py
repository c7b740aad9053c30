"""What this build of llama.cpp can do, and what of the processor it leaves unused.

An instruction set is compiled in or not: llama.cpp says which, Linux says which the processor has.
"""

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

# llama.cpp's name of an instruction set: Linux's names of the flags it needs.
FLAGS = {
    "SSE3": ("pni",),
    "SSSE3": ("ssse3",),
    "AVX": ("avx",),
    "AVX_VNNI": ("avx_vnni",),
    "AVX2": ("avx2",),
    "F16C": ("f16c",),
    "FMA": ("fma",),
    "BMI2": ("bmi2",),
    "AVX512": ("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"),
    "AVX512_VBMI": ("avx512vbmi",),
    "AVX512_VNNI": ("avx512_vnni",),
    "AVX512_BF16": ("avx512_bf16",),
    "AMX_INT8": ("amx_int8",),
    "NEON": ("asimd",),
    "DOTPROD": ("asimddp",),
    "MATMUL_INT8": ("i8mm",),
    "FP16_VA": ("asimdhp",),
    "SVE": ("sve",),
}
BASIC = {"AVX", "AVX2", "FMA", "F16C", "NEON", "DOTPROD"}  # without them all is much slower


def describe_build() -> dict[str, Any]:
    """Version, features, graphics cards of this build, as plain values.

    Raises:
        ImportError: llama.cpp is not installed, or cannot be loaded.
    """
    from vidcli.engine import devices, native

    info = native.system_info()
    return {
        "version": version("llama-cpp-python"),
        "system_info": info,
        "features": sorted(read_features(info)),
        "gpu_backend": native.supports_gpu(),
        "gpus": [asdict(gpu) for gpu in devices.list_gpus()],
    }


def read_features(system_info: str) -> set[str]:
    """The features that are on in `CPU : AVX = 1 | AVX2 = 0 | …`."""
    pairs = (part.rpartition("=") for part in system_info.replace(":", "|").split("|"))
    return {name.strip() for name, _, value in pairs if name and value.strip() not in ("", "0")}


def unused_flags(features: set[str], flags: frozenset[str]) -> list[str]:
    """Instruction sets that the processor has and the build does not use."""
    has = (name for name, needed in FLAGS.items() if flags.issuperset(needed))
    return [name for name in has if name not in features]


def lacking_flags(features: set[str], flags: frozenset[str]) -> list[str]:
    """Instruction sets that the build uses and the processor lacks: it ends with SIGILL."""
    known = (name for name in FLAGS if name in features)
    return [name for name in known if not flags.issuperset(FLAGS[name])]
