"""From what was learnt to files that llama.cpp loads: adapter, projector, weights, bundle."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcli.methods.arrange import FRAMES, QFORMER
from vidcli.methods.qformer import save_sidecar
from vidcli.models.bundle import Bundle, place_file, write_bundle
from vidcli.models.digest import digest_model
from vidcli.models.tensors import copy_gguf, pack_tensor
from vidcli.models.writer import Key, write_gguf
from vidcli.train.base import Base
from vidcli.train.lora import LoraSettings, adapter_keys, lora_state, to_adapter
from vidcli.train.model import VideoModel
from vidcli.train.names import Layout, to_gguf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def export_run(
    model: VideoModel,
    base: Base,
    *,
    folder: Path,
    name: str,
    parts: Iterable[str],
    lora: LoraSettings | None,
    prompt: str,
    frames: int,
    stage: Mapping[str, Any],
    arrangement: str = FRAMES,
) -> Bundle:
    """Write a trained model beside its run, as a bundle.

    Files that nothing changed are the base's own, under a name here.

    Args:
        model: With what it has learnt.
        base: What it started from.
        folder: Of the run.
        name: Of the model.
        parts: What learnt: `connector`, `vision`, `text`.
        lora: Settings of its adapter; None where it has none.
        prompt: Family profile of its prompts.
        frames: How many it was shown; 0 is auto.
        stage: The new entry of the history.
        arrangement: What the model makes of a video's frames.
    """
    learnt = tuple(parts)
    weights = folder / f"{name}{_kind_of(base.files.weights)}.gguf"
    mmproj = folder / f"mmproj-{name}{_kind_of(base.files.mmproj)}.gguf"
    _write_changed(base.files.weights, weights, model, ("text",), learnt)
    _write_changed(base.files.mmproj, mmproj, model, ("vision", "connector"), learnt)
    adapter = None
    if lora is not None:
        adapter = folder / f"adapter-{name}.gguf"
        write_adapter(adapter, lora_state(model), model.layout, alpha=lora.alpha, name=name)
    sidecar = None
    if arrangement == QFORMER:
        sidecar = folder / f"qformer-{name}.npz"
        _write_sidecar(sidecar, model, mmproj)
    return publish(
        Bundle(
            folder=folder,
            name=name,
            weights=weights,
            mmproj=mmproj,
            adapter=adapter,
            sha256={},
            base=base.origin,
            prompt=prompt,
            frames=frames,
            history=(*base.history, stage),
            arrangement=arrangement,
            sidecar=sidecar,
            follows_instructions=base.follows_instructions or stage["stage"] == "tune",
        )
    )


def publish(bundle: Bundle) -> Bundle:
    """Digest a bundle's files and write its manifest, which makes it one."""
    digests = {role: digest_model(path) for role, path in bundle.files.items()}
    made = replace(bundle, sha256=digests)
    write_bundle(made)
    return made


def write_adapter(
    path: Path,
    state: "Mapping[str, NDArray[np.float32]]",
    layout: Layout,
    *,
    alpha: float,
    name: str,
) -> None:
    """Write LoRA matrices, by peft's names, as an adapter that llama.cpp loads."""
    tensors = [
        pack_tensor(key, values.shape, "F32", _giver(values))
        for key, values in sorted(to_adapter(state, layout).items())
    ]
    keys = [Key(key, value) for key, value in adapter_keys(layout, alpha=alpha, name=name).items()]
    write_gguf(path, keys, tensors)


def _write_sidecar(path: Path, model: VideoModel, mmproj: Path) -> None:
    module = model.hf.video_qformer
    weights = {name: value.float().cpu().numpy() for name, value in module.state_dict().items()}
    width = model.hf.config.text_config.hidden_size
    meta = {"heads": module.heads, "width": width, "mmproj_sha256": digest_model(mmproj)}
    save_sidecar(path, weights, meta)


def _giver(values: "NDArray[np.float32]") -> Any:
    return lambda: values


def _write_changed(
    source: Path, target: Path, model: VideoModel, held: tuple[str, ...], learnt: tuple[str, ...]
) -> None:
    """Write the file with what learnt of the parts it holds; its other tensors stay as they are."""
    changed = [part for part in held if part in learnt]
    if not changed:
        place_file(source, target)
        return
    state = {
        name.replace(".base_layer.", "."): parameter.detach().float().cpu().numpy()
        for part in changed
        for name, parameter in model.named(part)
        if "lora_" not in name
    }
    copy_gguf(source, target, to_gguf(state, model.layout))


def _kind_of(path: Path) -> str:
    """`-q8_0` and the like from a file's name, so that names keep telling it."""
    from vidcli.models.naming import read_quant

    quant = read_quant(path.name)
    return f"-{quant.lower()}" if quant else ""
