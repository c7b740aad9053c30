"""A run or a bundle as files to use elsewhere: smaller, merged, under another name."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidcli.engine.quantize import quantize
from vidcli.errors import UsageError
from vidcli.methods.qformer import load_sidecar, save_sidecar
from vidcli.models.bundle import MANIFEST, Bundle, place_file, read_bundle
from vidcli.models.digest import digest_model
from vidcli.models.gguf import read_facts
from vidcli.models.tensors import copy_gguf, read_tensors
from vidcli.train.export import publish, write_adapter
from vidcli.train.pair import read_layout
from vidcli.train.peft_import import read_peft

MMPROJ_TYPES = ("F32", "F16", "BF16", "Q8_0")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to make of a bundle.

    Attributes:
        out: Folder of the new bundle.
        name: Of the model; empty takes the folder's.
        quant: Type of the weights, as `Q8_0`; empty keeps it.
        mmproj_type: Type of the projector, one of `MMPROJ_TYPES`; empty keeps it.
        merge: Whether the adapter is added into the weights.
        peft: Folder of an adapter that peft saved, to be put on the weights; None for none.
        threads: Of quantising.
    """

    out: Path
    name: str = ""
    quant: str = ""
    mmproj_type: str = ""
    merge: bool = False
    peft: Path | None = None
    threads: int = 1


def export_bundle(source: Path, options: ExportOptions) -> Bundle:
    """Write a bundle from another.

    Args:
        source: A bundle, or the folder of a finished run.
        options: What to make of it.

    Returns:
        The new bundle, complete.

    Raises:
        UsageError: The folder is the source's own, holds a bundle, or there is nothing to merge.
        ModelError: The source is damaged, or llama.cpp cannot carry the adapter.
        EngineError: llama.cpp cannot quantise the weights.
    """
    bundle = read_bundle(source)
    out = options.out
    if out.exists() and (out / MANIFEST).exists():
        raise UsageError(f"{out} holds a bundle already", hint="give another --out")
    if options.merge and bundle.adapter is None and options.peft is None:
        raise UsageError(f"{source} has no adapter to merge")
    out.mkdir(parents=True, exist_ok=True)
    name = options.name or out.resolve().name
    adapter = _take_adapter(bundle, options, name)
    weights = bundle.weights
    if options.merge and adapter is not None:
        merged = out / f"{name}-merged.gguf"
        copy_gguf(weights, merged, merge_adapter(weights, adapter))
        adapter.unlink()
        weights, adapter = merged, None
    weights = _write_weights(weights, out, name, options)
    mmproj = _write_mmproj(bundle.mmproj, out, name, options)
    sidecar = _copy_sidecar(bundle, out, name, mmproj)
    return publish(
        replace(
            bundle,
            sidecar=sidecar,
            folder=out,
            name=name,
            weights=weights,
            mmproj=mmproj,
            adapter=adapter,
            sha256={},
        )
    )


def _copy_sidecar(bundle: Bundle, out: Path, name: str, mmproj: Path) -> Path | None:
    """The Q-Former under its new name, for the projector as it is stored now."""
    if bundle.sidecar is None:
        return None
    weights, meta = load_sidecar(bundle.sidecar)
    target = out / f"qformer-{name}.npz"
    save_sidecar(target, weights, {**meta, "mmproj_sha256": digest_model(mmproj)})
    return target


def merge_adapter(weights: Path, adapter: Path) -> "dict[str, np.ndarray]":
    """Weights of every matrix that an adapter changes, with the change added.

    Both files have their rows in llama.cpp's order, so no row moves.
    """
    facts = read_facts(adapter)
    alpha = float(facts.keys["adapter.lora.alpha"])
    pairs = read_tensors(adapter)
    names = {name.removesuffix(".lora_a") for name in pairs if name.endswith(".lora_a")}
    base = read_tensors(weights, names.__contains__)
    return {
        name: base[name]
        + pairs[f"{name}.lora_b"]
        @ pairs[f"{name}.lora_a"]
        * np.float32(alpha / len(pairs[f"{name}.lora_a"]))
        for name in sorted(names)
    }


def _take_adapter(bundle: Bundle, options: ExportOptions, name: str) -> Path | None:
    target = options.out / f"adapter-{name}.gguf"
    if options.peft is not None:
        layout = read_layout(read_facts(bundle.weights), read_facts(bundle.mmproj))
        found = read_peft(options.peft, layout)
        write_adapter(target, found.state, layout, alpha=found.alpha, name=name)
        from vidcli.models.adapter import check_adapter

        check_adapter(read_facts(bundle.weights), read_facts(target))
        return target
    return None if bundle.adapter is None else place_file(bundle.adapter, target)


def _write_weights(weights: Path, out: Path, name: str, options: ExportOptions) -> Path:
    is_merged = weights.parent == out
    quant = options.quant.upper() or read_facts(weights).quant
    target = out / f"{name}-{quant.lower()}.gguf"
    if options.quant:
        quantize(weights, target, quant, threads=options.threads)
    elif is_merged:
        return weights.rename(target)
    else:
        place_file(weights, target)
    if is_merged:
        weights.unlink()
    return target


def _write_mmproj(mmproj: Path, out: Path, name: str, options: ExportOptions) -> Path:
    kind = options.mmproj_type.upper()
    if kind and kind not in MMPROJ_TYPES:
        raise UsageError(
            f"a projector cannot be written as {options.mmproj_type}",
            hint=f"choose one of {', '.join(MMPROJ_TYPES)}",
        )
    target = out / f"mmproj-{name}-{(kind or read_facts(mmproj).quant).lower()}.gguf"
    if not kind:
        return place_file(mmproj, target)
    copy_gguf(mmproj, target, {}, kind=kind)
    return target
