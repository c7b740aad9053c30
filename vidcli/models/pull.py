"""From a name to a checked pair of files that is registered under it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from vidcli.core.catalog import (
    FileRole,
    InstalledModel,
    Kind,
    MemoryBill,
    ModelSpec,
    StoredFile,
)
from vidcli.core.onnx_header import OnnxRole, read_onnx_header
from vidcli.core.protocols import Progress
from vidcli.core.units import format_size
from vidcli.errors import ModelError, UsageError
from vidcli.models import hub
from vidcli.models.adapter import check_adapter
from vidcli.models.bundle import is_bundle, read_bundle
from vidcli.models.catalog import close_names, find_model, list_models
from vidcli.models.choose import Choice, choose_files
from vidcli.models.digest import digest_file, remember_digest
from vidcli.models.fit import bill_of, fits_memory, say_bill
from vidcli.models.gguf import Role, describe_role, read_facts, split_parts
from vidcli.models.hardware import Memory
from vidcli.models.pair import check_pair, find_mmproj
from vidcli.models.registry import HUB, check_name, find_installed, register

ONNX_SUFFIX = ".onnx"
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a user named.

    Attributes:
        repo: `owner/name` on the hub.
        quant: Wanted; empty for the best that fits.
        spec: The catalog's entry, where it has one.
    """

    repo: str
    quant: str
    spec: ModelSpec | None


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What a pull will do.

    Attributes:
        name: Under which it will be registered.
        reference: What the user named.
        listing: Of the repository.
        choice: Files to take.
        bill: The memory it will take.
        memory: What the machine has.
    """

    name: str
    reference: Reference
    listing: hub.Listing
    choice: Choice
    bill: MemoryBill
    memory: Memory

    @property
    def size_bytes(self) -> int:
        """Of all files, there already or not."""
        return sum(file.size_bytes for file in self.choice.files)

    @property
    def licence(self) -> str:
        """As the repository says, else as the catalog does."""
        spec = self.reference.spec
        return self.listing.licence or (spec.licence if spec else "")

    @property
    def kind(self) -> Kind:
        """What the model is for."""
        return self.reference.spec.kind if self.reference.spec else Kind.VISION

    @property
    def arithmetic(self) -> str:
        """Why this quant: the memory it takes, on one line; empty for what takes little."""
        return say_bill(self.bill, self.memory) if self.kind.is_gguf else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know before anything is downloaded."""
        spec, warnings = self.reference.spec, []
        if not fits_memory(self.bill, self.memory) and self.kind.is_gguf:
            lighter = ", ".join(self.choice.others)
            warnings.append(
                f"{self.name} {self.choice.quant} does not fit the memory: it takes"
                f" {format_size(self.bill.total)}, and {format_size(self.memory.available)} are"
                f" free{f'; other quants: {lighter}' if lighter else ''}"
            )
        if spec is not None and not spec.verified:
            warnings.append(f"the catalog's entry for {spec.name} could not be confirmed")
        return tuple(warnings)


def read_reference(text: str) -> Reference:
    """Read `NAME`, `NAME:QUANT` or `hf:owner/repo[:QUANT]`.

    Raises:
        UsageError: It is none of these.
        ModelError: The catalog has no such name.
    """
    if text.startswith(HUB):
        repo, _, quant = text.removeprefix(HUB).partition(":")
        if len(PurePosixPath(repo).parts) != 2 or repo.count("/") != 1:
            raise UsageError(
                f"{text!r} is no repository", hint="vidcli models pull hf:OWNER/REPO[:QUANT]"
            )
        return Reference(repo, quant, _spec_of_repo(repo))
    name, _, quant = text.partition(":")
    spec = find_model(name)
    if spec is None:
        raise ModelError(f"the catalog has no model {name}", hint=hint_names(name))
    return Reference(spec.repo, quant, spec)


def hint_names(name: str, others: tuple[str, ...] = ()) -> str:
    """What to type instead of a name that nothing has."""
    close = close_names(name, others)
    if close:
        return f"did you mean {' or '.join(close)}? 'vidcli models list --all' names them all"
    return "'vidcli models list --all' names them all; hf:OWNER/REPO pulls any other"


def plan_pull(
    text: str,
    *,
    quant: str,
    revision: str,
    memory: Memory,
    n_ctx: int,
    fast_bf16: bool,
    name: str = "",
) -> PullPlan:
    """Find out what a pull would download; asks the hub, downloads nothing.

    Args:
        text: As `read_reference` reads it.
        quant: Wanted; empty takes the one in `text`, else the best that fits.
        revision: Branch, tag or commit.
        memory: What the machine has.
        n_ctx: Context cells to reckon with.
        fast_bf16: Whether this processor is fast with a 16-bit projector.
        name: To register it under; empty takes the catalog's, else one from the repository.

    Raises:
        UsageError: `text` or `name` makes no sense, or another model has the name.
        ModelError: There is no such model, or the hub does not give it.
    """
    reference = read_reference(text)
    spec, wanted = reference.spec, quant or reference.quant
    chosen = check_name(name) if name else _default_name(reference)
    _refuse_taken(chosen, reference)
    listing = hub.list_repo(reference.repo, revision)
    choice = choose_files(
        reference.repo,
        listing.files,
        spec=spec,
        quant=wanted,
        fits=lambda weights, mmproj: fits_memory(
            bill_of(spec, weights, mmproj, n_ctx=n_ctx), memory
        ),
        fast_bf16=fast_bf16,
    )
    bill = bill_of(spec, choice.weights_bytes, choice.mmproj_bytes, n_ctx=n_ctx)
    return PullPlan(chosen, reference, listing, choice, bill, memory)


def pull(plan: PullPlan, *, progress: Progress | None = None) -> InstalledModel:
    """Download what a plan says, check that the files fit each other, and register them.

    Raises:
        ModelError: The hub fails, a file is damaged, or weights and projector do not fit.
        ResourceError: The disk is too small, full, or cannot be written.
    """
    choice = plan.choice
    paths = hub.download(plan.listing, choice.files, progress=progress)
    roles = [
        *[FileRole.WEIGHTS] * len(choice.weights),
        *([FileRole.MMPROJ] if choice.mmproj is not None else []),
        *[FileRole.BESIDE] * len(choice.beside),
    ]
    files = tuple(
        StoredFile(role, path, wanted.size_bytes, wanted.sha256 or digest_file(path))
        for role, path, wanted in zip(roles, paths, choice.files, strict=True)
    )
    if plan.kind.is_gguf:
        _check_files(plan.kind, files)
    model = InstalledModel(
        name=plan.name,
        kind=plan.kind,
        source=f"{HUB}{plan.reference.repo}",
        revision=plan.listing.commit,
        quant=choice.quant,
        licence=plan.licence,
        files=files,
        added=_now(),
    )
    if len(choice.weights) == 1:
        for file in files:
            remember_digest(file.path, file.sha256)
    register(model)
    return model


def add_local(
    name: str, weights: Path, mmproj: Path | None, *, progress: Progress | None = None
) -> InstalledModel:
    """Register files that are on this machine already; they stay where they are.

    Args:
        name: New; no model has it.
        weights: Language model, or a text-embedding model, which needs no projector; or a bundle;
            or the ONNX file of a tool.
        mmproj: Its projector; None looks for it beside the weights.
        progress: Of hashing.

    Raises:
        UsageError: The name is taken, or none.
        ModelError: The files are missing, broken, or do not fit each other.
    """
    check_name(name)
    if find_installed(name) is not None:
        raise UsageError(
            f"a model {name} is registered already", hint=f"'vidcli models rm {name}' takes it out"
        )
    weights = weights.expanduser().absolute()
    if weights.suffix.casefold() == ONNX_SUFFIX:
        return _add_onnx(name, weights, progress=progress)
    bundle = read_bundle(weights) if is_bundle(weights) else None
    if bundle is not None:
        weights, mmproj = bundle.weights, mmproj or bundle.mmproj
    facts = read_facts(weights)
    kind = Kind.EMBEDDING if describe_role(facts) is Role.EMBEDDING else Kind.VISION
    if kind is Kind.VISION:
        mmproj = (mmproj.expanduser() if mmproj else find_mmproj(weights)).absolute()
        check_pair(facts, read_facts(mmproj))
    paths = [(FileRole.WEIGHTS, part) for part in split_parts(weights)]
    if mmproj is not None:
        paths.append((FileRole.MMPROJ, mmproj))
    if bundle is not None and bundle.adapter is not None:
        check_adapter(facts, read_facts(bundle.adapter))
        paths.append((FileRole.ADAPTER, bundle.adapter))
    model = InstalledModel(
        name=name,
        kind=kind,
        source=LOCAL,
        revision="",
        quant=facts.quant,
        licence=str(facts.keys.get("general.license", "")),
        files=tuple(
            StoredFile(role, path, path.stat().st_size, digest_file(path, progress=progress))
            for role, path in paths
        ),
        added=_now(),
    )
    register(model)
    return model


def _add_onnx(name: str, path: Path, *, progress: Progress | None) -> InstalledModel:
    """Register the file of a tool, if it is made for one.

    Raises:
        ModelError: It is missing or broken, or no tool can use it.
    """
    try:
        header = read_onnx_header(path)
        size_bytes = path.stat().st_size
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ModelError(str(error)) from error
    if header.role is OnnxRole.OTHER:
        raise ModelError(
            f"{path.name} is neither a detector nor a face detector nor a clip classifier: "
            f"{header.describe()}"
        )
    file = StoredFile(FileRole.WEIGHTS, path, size_bytes, digest_file(path, progress=progress))
    model = InstalledModel(name, Kind.ONNX, LOCAL, "", "", "", (file,), _now())
    register(model)
    return model


def _check_files(kind: Kind, files: Sequence[StoredFile]) -> None:
    """Make sure that downloaded GGUF files are what the model needs.

    Raises:
        ModelError: They are not; they stay in the cache, and the model is not registered.
    """
    facts = read_facts(files[0].path)
    if kind is Kind.VISION:
        check_pair(facts, read_facts(files[-1].path))
    elif describe_role(facts) is not Role.EMBEDDING:
        raise ModelError(f"{files[0].path.name} is {describe_role(facts)}, not a text embedder")


def _spec_of_repo(repo: str) -> ModelSpec | None:
    """The catalog's entry for a repository."""
    wanted = repo.casefold()
    return next((spec for spec in list_models() if spec.repo.casefold() == wanted), None)


def _default_name(reference: Reference) -> str:
    """The catalog's name, else the repository's without what every name there ends in."""
    if reference.spec is not None:
        return reference.spec.name
    name = reference.repo.rpartition("/")[2].casefold()
    return check_name(name.removesuffix("-gguf").removesuffix("_gguf"))


def _refuse_taken(name: str, reference: Reference) -> None:
    """Make sure that a pull replaces no other model that has its name.

    Raises:
        UsageError: It would.
    """
    taken = find_installed(name)
    if taken is not None and taken.source.casefold() != f"{HUB}{reference.repo}".casefold():
        raise UsageError(
            f"{name} is the name of another model, from {taken.source}",
            hint="choose one with --name",
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
