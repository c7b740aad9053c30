"""The steps of a recipe that make files: the sets, both stages, the bundle.

Not here: measuring the bundle, which goes the way of `vidcli eval` (`vidcli.cli.train_run`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from vidcli.core.model import LoadOptions
from vidcli.core.protocols import Progress
from vidcli.errors import ResourceError, UsageError
from vidcli.methods.familiar import describe_frames, learn_familiar
from vidcli.models.bundle import MANIFEST, Bundle, read_bundle, write_bundle
from vidcli.models.gguf import read_facts
from vidcli.models.pair import resolve_files
from vidcli.train.publish import ExportOptions, export_bundle
from vidcli.train.recipe import Recipe
from vidcli.train.run import REPORT
from vidcli.train.scratch import ScratchConfig
from vidcli.train.world.runs import make_base, run_language, run_vision, time_language, time_vision
from vidcli.world import make_scene, render
from vidcli.world.synth import MANIFEST as SET_MANIFEST
from vidcli.world.synth import Settings, write_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECONDS = (2.0, 6.0)  # of the clips that are measured on
Step = Callable[[Recipe, Path, Progress], list[Path]]


def sizes_of(recipe: Recipe) -> ScratchConfig:
    """The sizes of a recipe's model.

    Raises:
        UsageError: They do not go together.
    """
    try:
        return ScratchConfig(**recipe.model)
    except (ValueError, TypeError) as error:
        raise UsageError(f"the recipe {recipe.name}: model: {error}") from error


def estimate_steps(recipe: Recipe) -> dict[str, float]:
    """Seconds of every stage, from a few steps of each; nothing is kept."""
    sizes = sizes_of(recipe)
    seeing = time_vision(sizes, recipe.pretrain) * recipe.pretrain.steps
    with TemporaryDirectory() as folder:
        pair = make_base(sizes, Path(folder), seed=0, words=recipe.words.clips)
        telling = time_language(*pair, recipe.tune) * recipe.tune.steps
    return {"pretrain": seeing, "tune": telling}


def synth(recipe: Recipe, out: Path, progress: Progress) -> list[Path]:
    """Write the sets, as `vidcli data synth` does."""
    made = []
    for one in recipe.sets:
        settings = Settings(
            seed=one.seed, split=one.split, size=one.size, fps=one.fps, seconds=SECONDS
        )
        folder = set_folder(out, one.name)
        write_set(folder, settings, one.clips, jobs=1, progress=progress)
        made.append(folder / SET_MANIFEST)
    return made


def pretrain(recipe: Recipe, out: Path, progress: Progress) -> list[Path]:
    """Teach the vision encoder."""
    folder = out / "pretrain"
    run_vision(
        sizes_of(recipe), recipe.pretrain, folder, words=recipe.words.clips, progress=progress
    )
    return _files_of(folder)


def tune(recipe: Recipe, out: Path, progress: Progress) -> list[Path]:
    """Teach the language model."""
    run_language(out / "pretrain", recipe.tune, out / "tune", progress=progress)
    return _files_of(out / "tune")


def export(recipe: Recipe, out: Path, progress: Progress) -> list[Path]:
    """Make a small bundle, which knows what footage is familiar to it.

    Raises:
        ResourceError: It is larger than the recipe allows.
    """
    folder, wanted = bundle_folder(recipe, out), recipe.export
    (folder / MANIFEST).unlink(missing_ok=True)
    options = ExportOptions(
        out=folder, name=recipe.name, quant=wanted.quant, mmproj_type=wanted.mmproj
    )
    bundle = export_bundle(out / "tune", options)
    size = sum(path.stat().st_size for path in (bundle.weights, bundle.mmproj))
    if wanted.most_bytes and size > wanted.most_bytes:
        (folder / MANIFEST).unlink()
        raise ResourceError(
            f"the bundle takes {size:,} bytes, and the recipe allows {wanted.most_bytes:,}",
            hint="make the model smaller, or allow more with most_bytes",
        )
    if wanted.familiar_clips:
        learn_footage(bundle, recipe, progress)
    return [folder / MANIFEST, bundle.weights, bundle.mmproj]


MAKERS: Mapping[str, Step] = {
    "synth": synth,
    "pretrain": pretrain,
    "tune": tune,
    "export": export,
}


def learn_footage(bundle: Bundle, recipe: Recipe, progress: Progress) -> None:
    """Write into a bundle what footage is familiar to it, by its own files in llama.cpp."""
    from vidcli.engine.session import LlamaSession

    count = recipe.export.familiar_clips
    files = resolve_files(bundle.folder)
    options = LoadOptions(n_ctx=512, threads=1, gpu_layers=0, mmproj_gpu=False)
    facts = read_facts(files.weights), read_facts(files.mmproj)
    with LlamaSession(
        files, weights_facts=facts[0], mmproj_facts=facts[1], options=options
    ) as session:
        found = []
        for frames in _footage(recipe, count):
            tokens = [session.encode([frame]).data for frame in frames]
            found.append(describe_frames(tokens))
            progress("familiar footage", len(found), 2 * count)
    described = np.stack(found)
    familiar = learn_familiar(
        described[:count], described[count:], percentile=recipe.export.percentile
    )
    write_bundle(replace(bundle, familiar=familiar))


def _footage(recipe: Recipe, count: int) -> "Iterator[NDArray[np.uint8]]":
    """Clips of training, then as many held-out ones, as frames [frames, side, side, 3]."""
    side = sizes_of(recipe).image_size
    for seed, split in ((recipe.tune.seed, "train"), (recipe.tune.eval_seed, "eval")):
        for index in range(count):
            scene = make_scene(seed, index, split)  # type: ignore[arg-type]
            times = scene.sample_times(recipe.tune.frames)
            yield render(scene, times, side, compressed=True)


def set_folder(out: Path, name: str) -> Path:
    """Where a set lies."""
    return out / "sets" / name


def bundle_folder(recipe: Recipe, out: Path) -> Path:
    """Where the bundle lies."""
    return out / recipe.name


def _files_of(folder: Path) -> list[Path]:
    bundle = read_bundle(folder)
    return [folder / MANIFEST, folder / REPORT, bundle.weights, bundle.mmproj]
