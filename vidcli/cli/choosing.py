"""Which model a command runs: the one that is named, else the best installed one that fits."""

import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from vidcli import settings
from vidcli.cli.groups import Looking, Watching
from vidcli.cli.options import Selection
from vidcli.cli.terminal import Notes, is_terminal
from vidcli.errors import ModelError

if TYPE_CHECKING:
    from vidcli.core.catalog import InstalledModel, ModelSpec
    from vidcli.models.bundle import Bundle

AnyLooking = TypeVar("AnyLooking", bound=Looking)


def choose_model(
    named: str | None, mmproj: Path | None, *, offline: bool, notes: Notes
) -> "tuple[Path, Path | None, str]":
    """Find the files of the model to run.

    A name is an installed model's, or the packaged one's; else a file or a directory; else one that
    can be downloaded, which is offered where a person is there to answer.

    Args:
        named: By flag or environment: a name, `hf:owner/repo[:quant]`, a file or a directory.
        mmproj: Projector that the user named; it goes before the model's own.
        offline: Whether nothing may be downloaded.
        notes: Where to say which model was taken.

    Returns:
        Weights (or a directory that holds them), projector where it is known, and what to call the
        model; no name where the files' own will do.

    Raises:
        ModelError: There is no such model, or none at all.
    """
    installed = None if named is None else _find_named(named, offline=offline, notes=notes)
    if named is not None and installed is None:
        return Path(named).expanduser(), mmproj, ""
    if installed is None:
        installed = _best_installed(notes) or _offer(
            settings.RECOMMENDED_MODEL, notes, named=False, offline=offline
        )
    from vidcli.models.bundle import is_bundle

    missing = installed.missing
    if missing:
        raise ModelError(
            f"{installed.name} is incomplete: {missing[0]} is gone", hint=_hint_again(installed)
        )
    if is_bundle(installed.weights.parent):
        return installed.weights.parent, mmproj, installed.name
    return installed.weights, mmproj or installed.mmproj, installed.name


def as_taught(looking: "AnyLooking", model: str | None) -> "AnyLooking":
    """Look at as many frames as a bundle was taught with, where nobody says how many.

    Args:
        looking: What the command line asks for.
        model: What `--model` names.
    """
    from vidcli.methods.registry import AUTO, UNIFORM

    if isinstance(looking, Watching) and looking.method not in (AUTO, UNIFORM):
        return looking
    is_free = not looking.frames and looking.max_gap is None and looking.fps is None
    if not is_free or looking.select not in (None, Selection.UNIFORM):
        return looking
    bundle = find_bundle(model)
    return looking if bundle is None else replace(looking, frames=bundle.frames)


def is_taught(model: str | None, objectives: Collection[str]) -> bool:
    """Whether a stage of a bundle's training had one of these objectives.

    Args:
        model: What `--model` names.
        objectives: Such as `events`.
    """
    bundle = find_bundle(model)
    return bundle is not None and any(s.get("objective") in objectives for s in bundle.history)


def find_bundle(model: str | None) -> "Bundle | None":
    """The bundle that `--model` names; None where it names something else.

    Raises:
        ModelError: It is damaged.
    """
    from vidcli.models.bundle import is_bundle, read_bundle
    from vidcli.models.packaged import find_here

    if model is None:
        return None
    installed = None if _is_path(model) else find_here(model)
    folder = installed.weights.parent if installed is not None else Path(model).expanduser()
    return read_bundle(folder) if is_bundle(folder) else None


def check_model(named: str) -> None:
    """Refuse a model that is not there, without an offer to download it.

    Raises:
        ModelError: It is neither a file, nor installed, nor one that could be.
    """
    from vidcli.models.catalog import find_model
    from vidcli.models.packaged import find_here

    if Path(named).expanduser().exists():
        return
    if _is_path(named):
        raise ModelError(
            f"there is no model file {named}", hint="check the path, or see 'vidcli models list'"
        )
    if find_here(named) is None and find_model(named) is None:
        raise _unknown(named)


def _unknown(named: str) -> ModelError:
    from vidcli.models.pull import hint_names
    from vidcli.models.registry import list_installed

    others = tuple(model.name for model in list_installed())
    return ModelError(f"there is no model and no file {named}", hint=hint_names(named, others))


def _find_named(named: str, *, offline: bool, notes: Notes) -> "InstalledModel | None":
    """The installed model of a name; None where the name is of a file or directory.

    Raises:
        ModelError: It is neither, or an installed model that cannot see; said where it was named.
    """
    try:
        return _look_up(named, offline=offline, notes=notes)
    except ModelError as error:
        kept = settings.find("model")
        if kept.source is settings.Source.DEFAULT or kept.written != named:
            raise
        raise ModelError(f"{error}; {kept.where} names it", hint=error.hint) from error


def _look_up(named: str, *, offline: bool, notes: Notes) -> "InstalledModel | None":
    from vidcli.core.catalog import Kind
    from vidcli.models.catalog import find_model
    from vidcli.models.packaged import NAME, find_here
    from vidcli.models.registry import HUB

    if _is_path(named):
        return None
    found = find_here(named)
    if named.startswith(HUB):
        if found is None:
            raise ModelError(f"{named} is not installed", hint=f"vidcli models pull {named}")
        return found
    if found is None and Path(named).expanduser().exists():
        return None
    spec = find_model(named)
    if found is None and spec is not None and spec.kind is Kind.VISION:
        return _offer(spec.name, notes, named=True, offline=offline)
    if found is None and named.casefold() == NAME:
        raise ModelError(
            f"this vidcli was built without its small model {NAME}",
            hint=f"'vidcli models pull {settings.RECOMMENDED_MODEL}' gets a real one; 'vidcli train"
            f" run {NAME} --out DIR' makes this one",
        )
    if found is None:
        raise _unknown(named)
    if found.kind is not Kind.VISION:
        raise ModelError(
            f"{found.name} is for {found.kind.value}, and cannot answer about videos",
            hint="'vidcli models list' shows which can",
        )
    return found


def _is_path(named: str) -> bool:
    """Whether a name can only be meant as a file or directory."""
    from vidcli.models.registry import HUB

    is_file = "/" in named or named.startswith("~") or named.casefold().endswith(".gguf")
    return is_file and not named.startswith(HUB)


def _best_installed(notes: Notes) -> "InstalledModel | None":
    """The largest installed vision model that fits the memory; the smallest where none does."""
    from vidcli.core.catalog import Kind
    from vidcli.models.catalog import find_model
    from vidcli.models.fit import bill_of, fits_memory
    from vidcli.models.hardware import read_memory
    from vidcli.models.registry import list_installed

    models = [m for m in list_installed() if m.kind is Kind.VISION and not m.missing]
    models.sort(key=lambda model: (model.size_bytes, model.name))
    if not models:
        return None
    memory = read_memory()
    for model in reversed(models):
        if fits_memory(
            bill_of(find_model(model.name), model.size_bytes, 0, n_ctx=settings.N_CTX), memory
        ):
            notes.detail(f"model: {model.name}, the largest installed one that fits")
            return model
    notes.warn(f"no installed model fits the memory that is free; {models[0].name} is the smallest")
    return models[0]


def _offer(name: str, notes: Notes, *, named: bool, offline: bool) -> "InstalledModel":
    """Offer to download a model, where a person is there to answer.

    Raises:
        ModelError: Nobody is, or the answer is no.
    """
    from vidcli.models.catalog import find_model
    from vidcli.models.packaged import NAME

    spec = find_model(name)
    assert spec is not None, "what is offered is of the catalog"
    if not offline and _may_ask() and typer.confirm(_question(spec), default=False, err=True):
        from vidcli.cli.models import pull_model

        return pull_model(name, notes=notes)
    if named:
        raise ModelError(f"{name} is not installed", hint=f"vidcli models pull {name}")
    raise ModelError(
        "no model is installed, and none is named",
        hint=f"'vidcli models pull {name}' gets one; --model or VIDCLI_MODEL names files you have, "
        f"or {NAME}, which comes along and knows a drawn world alone",
    )


def _may_ask() -> bool:
    """Whether a person can be asked: both ends are a terminal, and a network may be used."""
    return (
        is_terminal(sys.stdin) and is_terminal(sys.stderr) and not settings.name_offline_variable()
    )


def _question(spec: "ModelSpec") -> str:
    from vidcli.core.units import format_size

    return (
        f"{spec.name} is not installed. Download it, about {format_size(spec.bytes)}, licence"
        f" {spec.licence}?"
    )


def _hint_again(model: "InstalledModel") -> str:
    from vidcli.models.pull import LOCAL

    if model.source == LOCAL:
        return f"put it back, or forget the name with 'vidcli models rm {model.name}'"
    return f"'vidcli models pull {model.name}' gets it again"
