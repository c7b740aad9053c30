"""Which files of a repository to take: one language model in one quant, and its projector."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vidcli.core.catalog import ModelSpec
from vidcli.errors import ModelError
from vidcli.models.catalog import ANY_GGUF, ANY_MMPROJ
from vidcli.models.naming import count_parts, group_parts, is_weights, matches, read_quant
from vidcli.models.transfer import Wanted

# Good sizes first; then smaller, then larger than a processor likes.
QUANTS = (
    "Q4_K_M", "Q8_0", "Q5_K_M", "Q6_K", "Q4_K_S", "Q5_K_S", "Q4_0", "Q4_1", "Q5_0", "Q5_1",
    "UD-Q4_K_XL", "IQ4_XS", "IQ4_NL", "Q3_K_M", "F16", "BF16", "F32",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """Files to take.

    Attributes:
        weights: All parts, in order.
        mmproj: The projector; None where the model has none.
        quant: Of the weights; empty where the file names tell none.
        others: Other quants that the repository offers.
        beside: Other files that the model needs.
    """

    weights: tuple[Wanted, ...]
    mmproj: Wanted | None
    quant: str
    others: tuple[str, ...]
    beside: tuple[Wanted, ...] = ()

    @property
    def files(self) -> tuple[Wanted, ...]:
        """Weights, then the projector, then the others."""
        mmproj = () if self.mmproj is None else (self.mmproj,)
        return (*self.weights, *mmproj, *self.beside)

    @property
    def weights_bytes(self) -> int:
        """Of all parts."""
        return sum(file.size_bytes for file in self.weights)

    @property
    def mmproj_bytes(self) -> int:
        """Of the projector; 0 where there is none."""
        return self.mmproj.size_bytes if self.mmproj else 0


def choose_files(
    repo: str,
    files: Sequence[Wanted],
    *,
    spec: ModelSpec | None,
    quant: str,
    fits: Callable[[int, int], bool],
    fast_bf16: bool,
) -> Choice:
    """Choose weights and projector among the files of a repository.

    Args:
        repo: For messages.
        files: All of them.
        spec: The model's entry in the catalog; None takes any GGUF pair.
        quant: Wanted quant; empty proposes the best that fits.
        fits: Whether weights and projector of so many bytes fit the memory.
        fast_bf16: Whether this processor is fast with a 16-bit projector.

    Raises:
        ModelError: The repository holds no such files, or not all parts of one.
    """
    pattern = spec.weights if spec else ANY_GGUF
    by_name = {file.name: file for file in files}
    groups = group_parts(name for name in by_name if is_weights(name, pattern))
    if not groups:
        raise ModelError(
            f"{repo} holds no file that fits {pattern}",
            hint=f"its files may have been renamed: see https://huggingface.co/{repo}/tree/main, "
            f"and name a repository yourself with 'vidcli models pull hf:OWNER/REPO'",
        )
    wants_mmproj = spec is None or bool(spec.mmproj)
    mmproj = _choose_mmproj(repo, files, spec, fast_bf16=fast_bf16) if wants_mmproj else None
    quants = _by_quant(groups)
    sizes = {
        name: sum(by_name[part].size_bytes for part in groups[group])
        for name, group in quants.items()
    }
    chosen = _choose_quant(
        repo, sizes, spec, quant, lambda size: fits(size, mmproj.size_bytes if mmproj else 0)
    )
    parts = groups[quants[chosen]]
    if len(parts) != count_parts(parts[0]):
        raise ModelError(
            f"{repo} holds {len(parts)} of {count_parts(parts[0])} parts of {quants[chosen]}",
            hint="choose another quant with --quant: " + ", ".join(n for n in quants if n),
        )
    others = tuple(name for name in quants if name and name != chosen)
    beside = _choose_beside(repo, files, spec, parts[0]) if spec is not None else ()
    return Choice(tuple(by_name[part] for part in parts), mmproj, chosen, others, beside)


def _choose_beside(
    repo: str, files: Sequence[Wanted], spec: ModelSpec, weights: str
) -> tuple[Wanted, ...]:
    """The other files that a model needs, from the folder of its weights."""
    folder = weights.rpartition("/")[0]
    near = [file for file in files if file.name.rpartition("/")[0] == folder]
    found = []
    for pattern in spec.beside:
        fitting = [file for file in near if matches(file.name, pattern)]
        if not fitting:
            raise ModelError(
                f"{repo} holds no file that fits {pattern}",
                hint=f"its files may have been renamed: see https://huggingface.co/{repo}/tree/main",
            )
        found.append(min(fitting, key=lambda file: file.name))
    return tuple(found)


def _by_quant(groups: dict[str, Sequence[str]]) -> dict[str, str]:
    """The group of each quant; of several the one least nested, then with the shortest name."""
    quants: dict[str, str] = {}
    for group in sorted(groups, key=lambda name: (name.count("/"), len(name), name)):
        quants.setdefault(read_quant(group), group)
    return quants


def _choose_quant(
    repo: str,
    sizes: dict[str, int],
    spec: ModelSpec | None,
    quant: str,
    fits: Callable[[int], bool],
) -> str:
    """The wanted quant; else the first of the preferred that fits; else the smallest there is."""
    if quant:
        found = next((name for name in sizes if name.casefold() == quant.casefold()), None)
        if found is None:
            offered = ", ".join(name for name in sizes if name) or "none that names tell"
            raise ModelError(f"{repo} has no quant {quant}", hint=f"it has: {offered}")
        return found
    preferred = [name for name in ((spec.quants if spec else ()) or QUANTS) if name in sizes]
    ranked = preferred or sorted(sizes, key=sizes.__getitem__)
    return next((name for name in ranked if fits(sizes[name])), min(ranked, key=sizes.__getitem__))


def _choose_mmproj(
    repo: str, files: Sequence[Wanted], spec: ModelSpec | None, *, fast_bf16: bool
) -> Wanted:
    """The projector: in 16 bits where the processor gains by it, else the small one.

    Where bf16 dot products are there, f16 rewritten as bf16 encodes 1.38 times as fast as either;
    elsewhere Q8_0 is as fast and half the size.
    """
    pattern = spec.mmproj if spec else ANY_MMPROJ
    found = [file for file in files if matches(file.name, pattern)]
    if not found:
        raise ModelError(
            f"{repo} holds no vision projector ({pattern}), and a model without one cannot see",
            hint="choose a repository that has an mmproj file",
        )
    order = ("F16", "BF16", "Q8_0", "F32") if fast_bf16 else ("Q8_0", "F16", "BF16", "F32")
    ranks = {name: rank for rank, name in enumerate(order)}
    return min(found, key=lambda file: (ranks.get(read_quant(file.name), len(ranks)), file.name))
