"""Whether weights and projector belong together, and finding the two from what the user named.

llama.cpp checks little of this: with a projector whose special tokens the vocabulary lacks it ends
the process, and with one whose norms are missing it computes nonsense. So it is checked here, from
the headers, before llama.cpp sees the files.
"""

from collections.abc import Iterable
from pathlib import Path

from vidcli.core.model import GgufFacts, LanguageFiles, ModelFiles
from vidcli.core.protocols import Progress
from vidcli.errors import ModelError
from vidcli.models.adapter import check_adapter
from vidcli.models.bundle import Bundle, is_bundle, read_bundle
from vidcli.models.digest import digest_model
from vidcli.models.gguf import Role, describe_role, missing_tokens, read_facts, split_parts
from vidcli.models.projectors import (
    HEARING,
    SEEING,
    missing_tensors,
    needs_of,
    text_width,
    visual_width,
)

_NAMED = 3  # missing tensors worth naming in a message


def check_pair(weights: GgufFacts, mmproj: GgufFacts) -> None:
    """Make sure that a language model and a projector can work together.

    Args:
        weights: Facts of the file given as language model.
        mmproj: Facts of the file given as projector.

    Raises:
        ModelError: Swapped, of the wrong kind, of different models, or incomplete.
    """
    _check_roles(weights, mmproj)
    _check_projector(mmproj)
    _check_widths(weights, mmproj)
    absent = missing_tokens(weights, needs_of(mmproj.projector).tokens)
    if absent:
        raise ModelError(
            f"the vocabulary of {weights.path.name} lacks {_list(map(repr, absent))}, which"
            f" {mmproj.path.name} needs ({mmproj.projector})",
            hint="give the mmproj file that was published with these weights",
        )
    lost = missing_tensors(mmproj)
    if lost:
        raise ModelError(
            f"{mmproj.path.name} is incomplete: it lacks {_list(lost)}",
            hint="download it again, or convert it anew",
        )


def find_mmproj(weights: Path) -> Path:
    """Find the projector that lies beside a language model.

    Files with `mmproj` in their name are considered; where there is none, all GGUF files. Of
    several, the only one that fits is taken.

    Raises:
        ModelError: There is none, none fits, or several do.
    """
    others = set(weights.parent.glob("*.gguf")) - set(split_parts(weights))
    named = sorted(path for path in others if "mmproj" in path.name.lower())
    candidates = named or sorted(path for path in others if _is_role(path, Role.MMPROJ))
    if not candidates:
        raise ModelError(
            f"{weights.name} has no vision projector beside it, and without one it cannot see",
            hint="name it with --mmproj FILE, or put the model's mmproj-*.gguf into its directory",
        )
    facts = read_facts(weights)
    reasons = {path: _misfit(facts, path) for path in candidates}
    fitting = [path for path, reason in reasons.items() if reason is None]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ModelError(
            f"several vision projectors beside {weights.name} fit it: {_names(fitting)}",
            hint="choose one with --mmproj FILE",
        )
    if len(candidates) == 1:
        raise ModelError(str(reasons[candidates[0]]), hint="name the right one with --mmproj FILE")
    raise ModelError(
        f"none of the vision projectors beside {weights.name} fits it: {_names(candidates)}",
        hint="name the right one with --mmproj FILE",
    )


def resolve_files(
    model: str | Path,
    mmproj: Path | None = None,
    *,
    adapter: Path | None = None,
    lora_scale: float = 1.0,
    progress: Progress | None = None,
) -> ModelFiles:
    """Turn what the user named into a checked pair of files with their digests.

    Args:
        model: A GGUF file, a directory that holds one language model and its projector, or a
            bundle.
        mmproj: The projector; None takes the bundle's own, or looks for it beside the weights.
        adapter: LoRA adapter on the weights; None takes the bundle's own, where there is one.
        lora_scale: How strongly it counts.
        progress: Of hashing, which happens once for each file.

    Raises:
        ModelError: Nothing there, nothing unambiguous there, or files that do not fit each other.
    """
    named = Path(model).expanduser()
    bundle = read_bundle(named) if is_bundle(named) else None
    if bundle is not None:
        mmproj, adapter = mmproj or bundle.mmproj, adapter or bundle.adapter
    weights = _find_weights(named) if named.is_dir() and bundle is None else named
    weights = bundle.weights if bundle is not None else weights
    facts = read_facts(weights)
    if mmproj is None and describe_role(facts) is not Role.WEIGHTS:
        raise ModelError(
            f"{weights.name} is {describe_role(facts)}, not a language model",
            hint="name the language model with --model and this file with --mmproj"
            if describe_role(facts) is Role.MMPROJ
            else None,
        )
    projector = mmproj.expanduser() if mmproj else find_mmproj(weights)
    check_pair(facts, read_facts(projector))
    if adapter is not None:
        adapter = adapter.expanduser()
        check_adapter(facts, read_facts(adapter))
    files = ModelFiles(
        weights=weights,
        mmproj=projector,
        weights_sha256=digest_model(weights, progress=progress),
        mmproj_sha256=digest_model(projector, progress=progress),
        name=bundle.name if bundle else _name(weights),
        adapter=adapter,
        adapter_sha256=digest_model(adapter, progress=progress) if adapter else "",
        lora_scale=lora_scale,
        arrangement=bundle.arrangement if bundle else "frames",
        sidecar=bundle.sidecar if bundle else None,
        sidecar_sha256=digest_model(bundle.sidecar) if bundle and bundle.sidecar else "",
        familiar=bundle.familiar if bundle and mmproj == bundle.mmproj else None,
        follows_instructions=bundle is None or bundle.follows_instructions,
    )
    if bundle is not None:
        _check_digests(bundle, files)
    return files


def resolve_hearing(
    model: str | Path, mmproj: Path | None = None, *, progress: Progress | None = None
) -> ModelFiles:
    """Turn what the user named into a language model and a projector that hears.

    Args:
        model: A GGUF file, or a directory that holds one language model.
        mmproj: The projector; None looks for the one beside the weights that hears.
        progress: Of hashing.

    Raises:
        ModelError: Nothing there, nothing unambiguous there, or none that hears.
    """
    named = Path(model).expanduser()
    weights = _find_weights(named) if named.is_dir() else named
    _check_weights(read_facts(weights))
    found = [mmproj.expanduser()] if mmproj else sorted(weights.parent.glob("*mmproj*.gguf"))
    hearing = [path for path in found if hears(read_facts(path))]
    if len(hearing) != 1:
        every = f"of {_names(found)}, {'several' if hearing else 'none'} can hear"
        none = f"{weights.name} has no projector beside it, and without one it cannot hear"
        raise ModelError(
            every if found else none,
            hint="name a projector with an audio encoder with --mmproj, or hear with --by whisper",
        )
    return ModelFiles(
        weights=weights,
        mmproj=hearing[0],
        weights_sha256=digest_model(weights, progress=progress),
        mmproj_sha256=digest_model(hearing[0], progress=progress),
        name=_name(weights),
    )


def hears(mmproj: GgufFacts) -> bool:
    """Whether a projector has an audio encoder."""
    return describe_role(mmproj) is Role.MMPROJ and bool(mmproj.keys.get("clip.has_audio_encoder"))


def _check_weights(facts: GgufFacts) -> None:
    if describe_role(facts) is not Role.WEIGHTS:
        raise ModelError(f"{facts.path.name} is {describe_role(facts)}, not a language model")


def _check_digests(bundle: Bundle, files: ModelFiles) -> None:
    """Refuse files that changed since the bundle was written; those the user named are theirs."""
    found = (
        ("weights", bundle.weights, files.weights, files.weights_sha256),
        ("mmproj", bundle.mmproj, files.mmproj, files.mmproj_sha256),
        ("adapter", bundle.adapter, files.adapter, files.adapter_sha256),
        ("sidecar", bundle.sidecar, files.sidecar, files.sidecar_sha256),
    )
    for role, own, used, digest in found:
        if own is not None and own == used and bundle.sha256[role] != digest:
            raise ModelError(
                f"{own.name} is not the file that the bundle {bundle.folder} was written with",
                hint="export the bundle again, or name the file itself with --model",
            )


def resolve_language(
    model: str | Path,
    *,
    adapter: Path | None = None,
    lora_scale: float = 1.0,
    progress: Progress | None = None,
) -> LanguageFiles:
    """Turn what the user named into a checked language model; no projector is looked for.

    Args:
        model: A GGUF file, a directory that holds one language model, or a bundle.
        adapter: LoRA adapter on the weights; None takes the bundle's own, where there is one.
        lora_scale: How strongly it counts.
        progress: Of hashing, which happens once for each file.

    Raises:
        ModelError: Nothing there, nothing unambiguous there, or no language model.
    """
    named = Path(model).expanduser()
    weights = _find_weights(named) if named.is_dir() else named
    facts = read_facts(weights)
    if describe_role(facts) is not Role.WEIGHTS:
        raise ModelError(f"{weights.name} is {describe_role(facts)}, not a language model")
    bundle = read_bundle(named) if is_bundle(named) else None
    if bundle is not None:
        adapter = adapter or bundle.adapter
    if adapter is not None:
        check_adapter(facts, read_facts(adapter.expanduser()))
    return LanguageFiles(
        weights,
        digest_model(weights, progress=progress),
        _name(weights),
        adapter.expanduser() if adapter else None,
        digest_model(adapter.expanduser(), progress=progress) if adapter else "",
        lora_scale,
        bundle is None or bundle.follows_instructions,
    )


def _name(weights: Path) -> str:
    return weights.stem.split("-00001-of-")[0]


def _find_weights(directory: Path) -> Path:
    """The one language model of a directory; later parts of a split one do not count."""
    found = [path for path in sorted(directory.glob("*.gguf")) if _is_role(path, Role.WEIGHTS)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ModelError(
            f"{directory} holds several language models: {_names(found)}",
            hint="name one of these files with --model",
        )
    raise ModelError(
        f"{directory} holds no language model in GGUF format",
        hint="name a .gguf file with --model, or see 'vidcli models list'",
    )


def _check_roles(weights: GgufFacts, mmproj: GgufFacts) -> None:
    first, second = describe_role(weights), describe_role(mmproj)
    if (first, second) == (Role.MMPROJ, Role.WEIGHTS):
        raise ModelError(
            f"the two files are swapped: {weights.path.name} is {first} and {mmproj.path.name}"
            f" {second}",
            hint=f"--model {mmproj.path} --mmproj {weights.path}",
        )
    if first is not Role.WEIGHTS:
        raise ModelError(f"{weights.path.name} is {first}, not a language model")
    if second is not Role.MMPROJ:
        raise ModelError(
            f"{mmproj.path.name} is {second}, not a vision projector",
            hint="--mmproj takes the file that is published beside the weights as mmproj-*.gguf",
        )


def _check_projector(mmproj: GgufFacts) -> None:
    projector = mmproj.projector
    if projector in HEARING or (
        mmproj.keys.get("clip.has_audio_encoder") and not mmproj.keys.get("clip.has_vision_encoder")
    ):
        raise ModelError(f"{mmproj.path.name} is a projector for sound and cannot see")
    if projector not in SEEING:
        raise ModelError(
            f"{mmproj.path.name} is a projector of type {projector or 'unsaid'!r}, which this"
            " llama.cpp does not know",
            hint="it may be newer than this vidcli: upgrade, or choose another model",
        )


def _check_widths(weights: GgufFacts, mmproj: GgufFacts) -> None:
    given, taken = visual_width(mmproj), text_width(weights)
    if given is not None and given != taken:
        raise ModelError(
            f"{weights.path.name} and {mmproj.path.name} are of different models: a visual token"
            f" has {given} numbers, the language model takes {taken}",
            hint="give the mmproj file that was published with these weights",
        )


def _misfit(weights: GgufFacts, mmproj: Path) -> ModelError | None:
    """Why a projector does not fit, or None where it does."""
    try:
        check_pair(weights, read_facts(mmproj))
    except ModelError as error:
        return error
    return None


def _is_role(path: Path, role: Role) -> bool:
    """Whether a file is readable and of this role."""
    try:
        return describe_role(read_facts(path)) is role
    except ModelError:
        return False


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _list(names: Iterable[str]) -> str:
    """Names joined; of many the first few and how many more."""
    every = list(names)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more
