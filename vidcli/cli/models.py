"""`vidcli models`: which models there are, getting them, and what is on this machine.

`pull` and `doctor --online` are all of vidcli that opens a connection.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli import settings
from vidcli.cli.options import JsonOption, OfflineOption, QuietOption
from vidcli.cli.terminal import (
    Notes,
    has_color,
    write_document,
    write_out,
    write_path,
    write_table,
)
from vidcli.errors import ModelError, UsageError, VidcliError

if TYPE_CHECKING:
    from vidcli.core.catalog import InstalledModel, ModelSpec
    from vidcli.models.hardware import Memory
    from vidcli.models.pull import PullPlan
    from vidcli.output.models import ModelRow

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="An installed model.")]


def list_models(
    every: Annotated[
        bool, typer.Option("--all", "-a", help="Also what could be downloaded.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List the models on this machine, and whether they fit its memory."""
    from vidcli.models.catalog import list_models as list_catalog
    from vidcli.models.hardware import read_memory
    from vidcli.models.packaged import find_packaged
    from vidcli.models.registry import list_installed
    from vidcli.output.models import COLUMNS, list_row, models_document

    memory = read_memory()
    packaged = find_packaged()
    here = [*list_installed(), *([packaged] if packaged else [])]
    installed = {model.name.casefold(): model for model in reversed(here)}
    installed = {name: installed[name] for name in sorted(installed)}
    rows = [_installed_row(model, memory) for model in installed.values()]
    if every:
        rows += [
            _catalog_row(spec, memory) for spec in list_catalog() if spec.name not in installed
        ]
    if json:
        write_document(models_document(rows))
        return
    if rows:
        write_table([list_row(row) for row in rows], columns=COLUMNS, right=(2,))
    else:
        Notes().tell(
            f"no model is installed; 'vidcli models pull {settings.RECOMMENDED_MODEL}' gets one,"
            " 'vidcli models list --all' shows which there are"
        )


def pull(
    model: Annotated[
        str,
        typer.Argument(
            metavar="NAME|hf:OWNER/REPO[:QUANT]", help="A model of the catalog, or any repository."
        ),
    ],
    quant: Annotated[
        str, typer.Option(metavar="QUANT", help="Such as Q4_K_M; else the best that fits.")
    ] = "",
    revision: Annotated[
        str, typer.Option(metavar="REVISION", help="A branch, tag or commit.")
    ] = "main",
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What to call it on this machine.")
    ] = "",
    offline: OfflineOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Download a model: weights and vision projector, checked against the hub's digests.

    An interrupted download goes on where it stopped. Files go to the Hugging Face cache, which
    other programs share.
    """
    from vidcli.output.models import model_document

    if offline:
        raise ModelError(
            f"{model} is on the hub, and offline mode forbids to ask it",
            hint="--no-offline asks it this once; 'vidcli config show' says what forbids it",
        )
    installed = pull_model(
        model, quant=quant, revision=revision, name=name, notes=Notes(quiet=quiet)
    )
    if json:
        write_document(model_document(_installed_row(installed)))
    else:
        write_out(f"{installed.name}\n")


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model, installed or not.")],
    json: JsonOption = False,
) -> None:
    """Show what is known of a model: files, licence, memory, what it is good at."""
    from vidcli.output.models import model_document, show_rows

    row = _find_row(name)
    memory = _exact_memory(row.installed) if row.installed else None
    if json:
        write_document(model_document(row, memory_bytes=memory))
    else:
        write_table(show_rows(row, memory_bytes=memory))


def rm(
    name: NameArgument,
    keep_files: Annotated[bool, typer.Option("--keep-files", help="Only forget the name.")] = False,
) -> None:
    """Remove a model: its name, and the files that pull brought.

    Files that were registered with add are the user's, and stay.
    """
    from vidcli.core.units import format_size
    from vidcli.models.hub_cache import remove_files
    from vidcli.models.packaged import is_packaged
    from vidcli.models.pull import LOCAL
    from vidcli.models.registry import list_installed, unregister

    model = find_or_fail(name)
    if is_packaged(model):
        raise ModelError(f"{model.name} came with vidcli, and goes with it")
    unregister(model.name)
    used = {file.path for other in list_installed() for file in other.files}
    own = [file.path for file in model.files if file.path not in used]
    keeps = keep_files or model.source == LOCAL
    freed = 0 if keeps else remove_files(own)
    Notes().tell(
        f"{model.name} is forgotten; its files stay"
        if keeps
        else f"{model.name} is removed, {format_size(freed)} freed"
    )


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; all otherwise.")
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Read models' files again and compare their digests with those of the pull.

    Exit code 4 where a file is missing or changed.
    """
    from vidcli.models.registry import list_installed
    from vidcli.output.models import model_check_document
    from vidcli.output.plain import printable

    models = [find_or_fail(name) for name in names] if names else list(list_installed())
    entries = [entry for model in models for entry in _check_model(model, quiet=quiet)]
    if json:
        write_document(model_check_document(entries))
    else:
        for model, path, problem in entries:
            write_out(f"{printable(model)}  {printable(path)}  {problem or 'ok'}\n")
    bad = sorted({model for model, _, problem in entries if problem})
    if bad:
        raise ModelError(
            f"files of {', '.join(bad)} are not what they were",
            hint=f"'vidcli models pull {bad[0]}' downloads what is wrong again",
        )


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A new name.")],
    bundle: Annotated[
        Path | None,
        typer.Argument(metavar="BUNDLE", help="The folder of a trained model.", show_default=False),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", metavar="FILE", help="Language model, a GGUF file; or a tool's, ONNX."
        ),
    ] = None,
    mmproj: Annotated[
        Path | None,
        typer.Option(
            "--mmproj",
            metavar="FILE",
            help="Its vision projector; looked for beside the model otherwise.",
        ),
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Give files that are on this machine a name; they stay where they are."""
    from vidcli.models.bundle import is_bundle
    from vidcli.models.pull import add_local
    from vidcli.output.models import model_document
    from vidcli.output.progress import open_progress

    if (bundle is None) == (model is None):
        raise UsageError(
            "name a bundle, or a language model with --model",
            hint=f"vidcli models add {name} --model FILE",
        )
    if bundle is not None and not is_bundle(bundle):
        raise ModelError(
            f"{bundle} is no bundle", hint="--model names a GGUF file; 'train' makes bundles"
        )
    with open_progress(quiet=quiet) as progress:
        added = add_local(name, model or Path(str(bundle)), mmproj, progress=progress)
    if json:
        write_document(model_document(_installed_row(added)))
    else:
        write_out(f"{added.name}\n")


def path(
    name: NameArgument,
    mmproj: Annotated[
        bool, typer.Option("--mmproj", help="Of its vision projector instead.")
    ] = False,
) -> None:
    """Print where a model's file is, for other programs."""
    model = find_or_fail(name)
    wanted = model.mmproj if mmproj else model.weights
    if wanted is None:
        raise ModelError(f"{model.name} has no vision projector")
    write_path(str(wanted))


COMMANDS: dict[str, Callable[..., None]] = {
    "list": list_models,
    "pull": pull,
    "show": show,
    "rm": rm,
    "verify": verify,
    "add": add,
    "path": path,
}


def pull_model(
    text: str, *, quant: str = "", revision: str = "main", name: str = "", notes: Notes
) -> "InstalledModel":
    """Download, check and register a model; the arithmetic is told before the first byte.

    Raises:
        VidcliError: See `vidcli.models.pull`.
    """
    from vidcli.models.hardware import read_cpu, read_memory
    from vidcli.models.pull import plan_pull
    from vidcli.models.pull import pull as carry_out
    from vidcli.models.registry import find_installed
    from vidcli.output.download import open_bars

    plan = plan_pull(
        text,
        quant=quant,
        revision=revision,
        memory=read_memory(),
        n_ctx=settings.N_CTX,
        fast_bf16=read_cpu().multiplies_bf16,
        name=name,
    )
    _tell_plan(plan, notes)
    before = find_installed(plan.name)
    with open_bars(quiet=notes.quiet, color=has_color(sys.stderr)) as bars:
        installed = carry_out(plan, progress=bars)
    if before is not None and before.files != installed.files:
        notes.tell(
            f"it replaces {before.quant or 'another'} at {before.revision[:12]}, whose files stay"
            f" in the cache; 'hf cache' removes them"
        )
    return installed


def _tell_plan(plan: "PullPlan", notes: Notes) -> None:
    from vidcli.core.units import format_size

    choice = plan.choice
    notes.tell(
        f"{plan.name}: {choice.quant or 'as it is'}, {format_size(plan.size_bytes)} from"
        f" hf:{plan.reference.repo} at {plan.listing.commit[:12]}, licence"
        f" {plan.licence or 'unknown'}"
    )
    if plan.arithmetic:
        notes.tell(plan.arithmetic)
    if choice.others:
        notes.tell(f"other quants: {', '.join(choice.others)}")
    for warning in plan.warnings:
        notes.warn(warning)


def find_or_fail(name: str) -> "InstalledModel":
    """The model installed under a name.

    Raises:
        ModelError: There is none.
    """
    from vidcli.models.catalog import find_model
    from vidcli.models.packaged import find_here
    from vidcli.models.pull import hint_names
    from vidcli.models.registry import list_installed

    model = find_here(name)
    if model is not None:
        return model
    if find_model(name) is not None:
        raise ModelError(f"{name} is not installed", hint=f"vidcli models pull {name}")
    others = tuple(other.name for other in list_installed())
    raise ModelError(f"no model {name} is installed", hint=hint_names(name, others))


def _find_row(name: str) -> "ModelRow":
    """What is known of a model, installed or of the catalog."""
    from vidcli.models.catalog import find_model
    from vidcli.models.hardware import read_memory
    from vidcli.models.packaged import find_here

    installed, spec = find_here(name), find_model(name)
    if installed is None and spec is not None:
        return _catalog_row(spec, read_memory())
    return _installed_row(installed or find_or_fail(name), read_memory())


def _installed_row(model: "InstalledModel", memory: "Memory | None" = None) -> "ModelRow":
    from vidcli.models.catalog import find_model
    from vidcli.models.fit import bill_of, fits_memory
    from vidcli.models.hardware import read_memory
    from vidcli.output.models import ModelRow

    spec, mmproj = find_model(model.name), _mmproj_bytes(model)
    if not model.kind.is_gguf:
        return ModelRow(model.name, spec, model, None, None)
    bill = bill_of(spec, model.size_bytes - mmproj, mmproj, n_ctx=settings.N_CTX)
    return ModelRow(model.name, spec, model, bill, fits_memory(bill, memory or read_memory()))


def _catalog_row(spec: "ModelSpec", memory: "Memory") -> "ModelRow":
    from vidcli.models.fit import bill_of, fits_memory
    from vidcli.output.models import ModelRow

    if not spec.kind.is_gguf:
        return ModelRow(spec.name, spec, None, None, None)
    bill = bill_of(spec, spec.bytes, 0, n_ctx=settings.N_CTX)
    return ModelRow(spec.name, spec, None, bill, fits_memory(bill, memory))


def _mmproj_bytes(model: "InstalledModel") -> int:
    from vidcli.core.catalog import FileRole

    return sum(file.size_bytes for file in model.files if file.role is FileRole.MMPROJ)


def _exact_memory(model: "InstalledModel") -> int | None:
    """What a pair takes, from the headers of its files; None where it is no readable pair."""
    from vidcli.models.gguf import read_facts
    from vidcli.models.memory import memory_needed

    if model.mmproj is None or model.missing:
        return None
    try:
        facts = read_facts(model.weights), read_facts(model.mmproj)
    except VidcliError:
        return None  # `verify` says what is wrong
    return memory_needed(*facts, n_ctx=settings.N_CTX).total


def _check_model(model: "InstalledModel", *, quiet: bool) -> "list[tuple[str, str, str | None]]":
    """(model, file, what is wrong with it or None) of every file."""
    from vidcli.models.verify import check_files
    from vidcli.output.progress import open_progress

    with open_progress(quiet=quiet) as progress:
        checked = check_files(model, whole=True, progress=progress)
        return [(model.name, str(path), problem or None) for path, problem in checked]
