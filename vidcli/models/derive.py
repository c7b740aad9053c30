"""Projectors rewritten for this machine and detail: once, in the cache, the original untouched.

Two changes, together or alone:

- `bf16`: matrices of an f16 file as bfloat16, where the processor multiplies it faster (1.38 times
  as fast a tile on AVX512_BF16, cosine of the visual tokens 0.99998).
- `256px` and the like: half the input side, with resampled position embeddings, for `--detail low`
  (512 → 256: 5 times as fast, a quarter of the tokens). Approximate: the model was not trained so.
"""

import dataclasses
import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidcli.core.model import Detail, GgufFacts, ModelFiles
from vidcli.errors import ModelError, ResourceError
from vidcli.models.gguf import integer_of, read_facts
from vidcli.models.hardware import Cpu, read_free_disk
from vidcli.models.projectors import NATIVE_SIZE, SQUARE_POSITIONS
from vidcli.models.resample import shrink_positions
from vidcli.models.writer import Key, Tensor, write_gguf
from vidcli.settings import cache_dir

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 1  # rises when a derived file would hold other numbers
POSITIONS = "v.position_embd.weight"
IMAGE_SIZE = "clip.vision.image_size"
FILE_TYPE_BF16 = 32
FROM, RECIPE = "vidcli.derived.from", "vidcli.derived.recipe"
SPARE_BYTES = 64 * 1024**2  # disk to leave free
# Multiplied by llama.cpp as plain matrices; convolutions and tables have no bf16 kernels.
_MATRICES = re.compile(
    r"v\.blk\.\d+\.(attn_(q|k|v|qkv|out)|ffn_(up|gate|down))\.weight"
    r"|mm\.(\d+|model\.fc|model\.mlp\.\d+)\.weight"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to change.

    Attributes:
        bf16: Whether f16 matrices become bfloat16.
        image_size: New side of the vision input in pixels; 0 keeps it.
        old_image_size: Side of the original.
        patch_size: Side of a patch in pixels.
    """

    bf16: bool
    image_size: int
    old_image_size: int
    patch_size: int

    @property
    def name(self) -> str:
        """Empty, `bf16`, `256px` or `bf16+256px`."""
        size = f"{self.image_size}px" if self.image_size else ""
        return "+".join(part for part in ("bf16" if self.bf16 else "", size) if part)


def derive_mmproj(
    files: ModelFiles, facts: GgufFacts, *, detail: Detail, cpu: Cpu | None
) -> tuple[ModelFiles, tuple[str, ...]]:
    """Rewrite the projector for this processor and detail, or find it rewritten earlier.

    Args:
        files: The pair; its digest names the derived file.
        facts: Of the original projector.
        detail: LOW halves the vision input of families with a learned square of positions; those
            with a free input size need no derivation: they are given fewer pixels.
        cpu: Where the encoder runs; None where it runs on a graphics card, which keeps f16.

    Returns:
        The files with `derived_mmproj` and `derivation` set, or as given where nothing is to
        change; and warnings, where the cache could not be written and the original is used.

    Raises:
        ModelError: LOW is asked of a family it is not possible for, or the file is damaged.
        ResourceError: LOW is asked for and the disk is full.
    """
    recipe = plan_recipe(facts, detail, cpu)
    if not recipe.name:
        return files, ()
    path = cache_dir() / "derived" / f"{files.mmproj_sha256}-{recipe.name}.gguf"
    stamp = f"{recipe.name} v{VERSION}"
    derived = dataclasses.replace(files, derived_mmproj=path, derivation=recipe.name)
    if _is_whole(path, sha256=files.mmproj_sha256, stamp=stamp):
        return derived, ()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _require_space(path, facts)
        marks = [Key(FROM, files.mmproj_sha256), Key(RECIPE, stamp)]
        _rewrite(files.mmproj, path, recipe, marks)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) and recipe.image_size:
            raise ResourceError(
                f"no room on the disk to derive {facts.path.name} for low detail"
                f" ({facts.size_bytes / 1e6:.0f} MB in {path.parent})",
                hint="run 'vidcli cache prune', or use --detail normal",
            ) from error
        return files, (_describe_fallback(recipe, path, error.strerror or str(error)),)
    except ModelError as error:
        if recipe.image_size:
            raise
        return files, (_describe_fallback(recipe, path, str(error)),)
    return derived, ()


def plan_recipe(facts: GgufFacts, detail: Detail, cpu: Cpu | None) -> Recipe:
    """Decide what to change of a projector; nothing, where its name comes out empty.

    Raises:
        ModelError: LOW is asked of a family it is not possible for.
    """
    old, patch = integer_of(facts, IMAGE_SIZE), integer_of(facts, "clip.vision.patch_size")
    return Recipe(
        bf16=facts.quant == "F16" and cpu is not None and cpu.multiplies_bf16,
        image_size=_low_size(facts, old, patch) if detail is Detail.LOW else 0,
        old_image_size=old,
        patch_size=patch,
    )


def _low_size(facts: GgufFacts, old: int, patch: int) -> int:
    """Half the input side, in pixels; 0 where the family takes any size as it is."""
    if facts.projector in NATIVE_SIZE:
        return 0
    normal = "use --detail normal"
    if facts.projector not in SQUARE_POSITIONS or POSITIONS not in facts.tensors or not patch:
        raise ModelError(
            f"--detail low is not possible with {facts.path.name}: a {facts.projector} projector"
            " cannot be given a smaller input",
            hint=normal,
        )
    default = 4 if facts.projector == "gemma3" else 1
    merge = integer_of(facts, "clip.vision.projector.scale_factor") or default
    side = old // patch
    smaller = side // 2 // merge * merge
    if not smaller or facts.tensors[POSITIONS][0] - side**2 not in (0, 1):
        raise ModelError(
            f"--detail low is not possible with {facts.path.name}: its grid of {side} × {side}"
            f" patches, merged {merge} × {merge}, cannot be halved",
            hint=normal,
        )
    return smaller * patch


def _rewrite(source: Path, target: Path, recipe: Recipe, marks: list[Key]) -> None:
    """Write the derived file.

    Raises:
        ModelError: The package that reads the original stumbles over it.
        OSError: The derived file cannot be written.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(source)
        keys = [*_keys(reader, recipe), *marks]
        write_gguf(target, keys, [_tensor(old, recipe) for old in reader.tensors])
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise ModelError(
            f"{source.name} is damaged: {error}", hint="download it again, or convert it anew"
        ) from error


def _keys(reader: Any, recipe: Recipe) -> Iterator[Key]:
    """The original's keys in their own types, sizes and file type changed."""
    for name, field in reader.fields.items():
        if name.startswith("GGUF."):
            continue
        value, types = field.contents(), tuple(field.types[:2])
        if name == "general.file_type" and recipe.bf16:
            value = FILE_TYPE_BF16
        if recipe.image_size:
            value = _rescale(name, value, recipe)
        yield Key(name, value, types)


def _rescale(name: str, value: Any, recipe: Recipe) -> Any:
    """A key for the smaller input; tile limits shrink along, so that tiles stay as many."""
    if name == IMAGE_SIZE:
        return recipe.image_size
    new, old = recipe.image_size, recipe.old_image_size
    if name == "clip.vision.preproc_image_size":
        return value * new // old
    if name == "clip.vision.image_grid_pinpoints":
        return [item * new // old for item in value]
    return value


def _tensor(old: Any, recipe: Recipe) -> Tensor:
    """One tensor of the derived file; its numbers are read and changed when it is written."""
    kind, data = old.tensor_type.name, old.data
    if recipe.image_size and old.name == POSITIONS:
        patch = recipe.patch_size
        before, after = recipe.old_image_size // patch, recipe.image_size // patch
        rows = int(old.shape[1]) - before**2 + after**2
        load = partial(_shrunk, data, old.tensor_type, before, after)
        return Tensor(old.name, (rows, int(old.shape[0])), np.dtype(np.float32), "F32", load)
    if recipe.bf16 and kind == "F16" and _MATRICES.fullmatch(old.name):
        shape = (*data.shape[:-1], 2 * data.shape[-1])
        return Tensor(old.name, shape, np.dtype(np.uint8), "BF16", partial(_as_bf16, data))
    return Tensor(old.name, data.shape, data.dtype, kind, lambda: data)


def _shrunk(data: "NDArray[Any]", kind: Any, before: int, after: int) -> "NDArray[np.float32]":
    from gguf.quants import dequantize

    return shrink_positions(dequantize(data, kind), old=before, new=after)


def _as_bf16(data: "NDArray[np.float16]") -> "NDArray[np.uint8]":
    """The upper halves of the float32 values, rounded to nearest even, as bytes."""
    bits = data.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return rounded.astype("<u2").view(np.uint8)


def _is_whole(path: Path, *, sha256: str, stamp: str) -> bool:
    """Whether a derived file is there, complete, and of this original and recipe."""
    if not path.exists():
        return False
    try:
        facts = read_facts(path)
    except ModelError:
        return False
    return facts.keys.get(FROM) == sha256 and facts.keys.get(RECIPE) == stamp


def _require_space(path: Path, facts: GgufFacts) -> None:
    if read_free_disk(path.parent) < facts.size_bytes + SPARE_BYTES:
        raise OSError(errno.ENOSPC, "no room on the disk")


def _describe_fallback(recipe: Recipe, path: Path, cause: str) -> str:
    cost = "frames are looked at in normal detail" if recipe.image_size else "it runs as given"
    return (
        f"the projector could not be rewritten as {recipe.name} in {path.parent}"
        f" ({cause}), so {cost}"
    )
