"""Recipes: from nothing to a measured bundle in steps that a file describes.

    synth      writes the sets it is measured on, as video files
    pretrain   teaches the vision encoder        tune       teaches the language model
    export     makes a small bundle of it        evaluate   measures that, as anyone would use it

A step is done when its note says so, for the same settings and the same steps before it; its files
are looked at, so that one that went missing is made again. A recipe may list commands in place of
settings (`vidcli.train.pipeline`).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from vidcli.errors import UsageError
from vidcli.train.notes import digest_facts
from vidcli.train.pipeline import Pipeline, read_pipeline
from vidcli.train.world.settings import LanguageConfig, VisionConfig
from vidcli.world.synth import WORLD
from vidcli.world.vocabulary import SPLITS, Split

STEPS = ("synth", "pretrain", "tune", "export", "evaluate")
SUFFIX = ".toml"
QUANTS = ("F32", "F16", "BF16", "Q8_0")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetConfig:
    """A set to measure on: its name, what it shows, clips and pixels a side."""

    name: str
    split: Split
    seed: int
    clips: int
    size: int = 128
    fps: int = 12

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(f"split is one of {', '.join(SPLITS)}, not {self.split!r}")
        if self.clips < 1 or self.size % 2 or "/" in self.name or not self.name:
            raise ValueError("a set has a name, clips, and an even size")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportConfig:
    """What becomes of the trained model.

    Attributes:
        quant: Type of the weights.
        mmproj: Type of the projector.
        most_bytes: Both files together may take; 0 for any.
        familiar_clips: Clips that what is familiar is learnt from, and as many to calibrate with;
            0 leaves it out.
        percentile: Of the clips like those of training that pass as familiar.
    """

    quant: str = "Q8_0"
    mmproj: str = "Q8_0"
    most_bytes: int = 0
    familiar_clips: int = 0
    percentile: float = 99.9

    def __post_init__(self) -> None:
        if self.mmproj not in QUANTS:
            raise ValueError(f"mmproj is one of {', '.join(QUANTS)}, not {self.mmproj!r}")
        if not 50 <= self.percentile <= 100:
            raise ValueError("percentile lies from 50 to 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """How it is measured: with controls, and at most so many questions of a kind (0 asks all)."""

    controls: bool = True
    limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsConfig:
    """What the vocabulary is read from: clips of each split."""

    clips: int = 1500


@dataclass(frozen=True, slots=True)
class Recipe:
    """All settings of a model from nothing.

    Attributes:
        name: Of the recipe, and of the model.
        title: One line for people.
        sets: To measure on.
        words: Of the vocabulary.
        model: Sizes, as `--from-scratch` takes them.
        pretrain: First stage.
        tune: Second stage.
        export: What becomes of it.
        evaluate: How it is measured.
    """

    name: str
    title: str
    sets: tuple[SetConfig, ...]
    words: WordsConfig
    model: Mapping[str, Any]
    pretrain: VisionConfig
    tune: LanguageConfig
    export: ExportConfig
    evaluate: EvaluateConfig

    @property
    def steps(self) -> tuple[str, ...]:
        """`STEPS`: a recipe of settings has them all."""
        return STEPS

    def digests(self) -> dict[str, str]:
        """Names what decides each step's result, the steps before it included."""
        sets = [asdict(one) for one in self.sets]
        model = {**self.model, "words": self.words.clips}
        found = {"synth": digest_facts("synth", WORLD, sets)}
        found["pretrain"] = digest_facts("pretrain", WORLD, model, self.pretrain.digest())
        found["tune"] = digest_facts("tune", found["pretrain"], self.tune.digest())
        found["export"] = digest_facts("export", found["tune"], self.name, asdict(self.export))
        found["evaluate"] = digest_facts(
            "evaluate", found["export"], found["synth"], asdict(self.evaluate)
        )
        return found


def list_recipes() -> dict[str, str]:
    """Titles of the package's recipes by name."""
    folder = files("vidcli.train") / "recipes"
    names = sorted(
        entry.name.removesuffix(SUFFIX) for entry in folder.iterdir() if entry.name.endswith(SUFFIX)
    )
    return {name: find_recipe(name).title for name in names}


def find_recipe(named: str) -> Recipe | Pipeline:
    """The recipe of a file, or of the package by its name.

    Raises:
        UsageError: There is none, or it makes no sense.
    """
    path = Path(named).expanduser()
    is_file = path.suffix == SUFFIX or "/" in named
    source = path if is_file else files("vidcli.train") / "recipes" / f"{named}{SUFFIX}"
    if not source.is_file():
        raise UsageError(
            f"there is no recipe {named}", hint="'vidcli train run --list' shows which there are"
        )
    try:
        document = tomllib.loads(source.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{named} cannot be read: {error}") from error
    name = path.stem if is_file else named
    if "step" in document:
        return read_pipeline(document, name=name, here=path.absolute().parent)
    return read_recipe(document, name=name)


def read_recipe(document: Mapping[str, Any], *, name: str) -> Recipe:
    """A recipe from its document.

    Raises:
        UsageError: It names something unknown, or lacks or contradicts something.
    """
    given = dict(document)
    try:
        recipe = Recipe(
            name=name,
            title=str(given.pop("title", "")),
            sets=tuple(_read(SetConfig, one, "sets") for one in given.pop("sets", [])),
            words=_read(WordsConfig, given.pop("words", {}), "words"),
            model=dict(given.pop("model")),
            pretrain=_read(VisionConfig, given.pop("pretrain"), "pretrain"),
            tune=_read(LanguageConfig, given.pop("tune"), "tune"),
            export=_read(ExportConfig, given.pop("export", {}), "export"),
            evaluate=_read(EvaluateConfig, given.pop("evaluate", {}), "evaluate"),
        )
    except KeyError as error:
        raise UsageError(f"the recipe {name} lacks {error}") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"the recipe {name}: {error}") from error
    if given:
        raise UsageError(f"the recipe {name} names something unknown: {sorted(given)[0]}")
    return recipe


T = TypeVar("T")


def _read(kind: type[T], given: Any, section: str) -> T:
    if not isinstance(given, dict):
        raise TypeError(f"{section} is no table")
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"{section} knows no {unknown[0]}")
    return kind(**given)
