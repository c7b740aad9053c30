"""Whether a LoRA adapter belongs to a language model: told from headers, before anything loads."""

from vidcli.core.model import GgufFacts
from vidcli.errors import ModelError
from vidcli.models.gguf import Role, describe_role

SUFFIXES = (".lora_a", ".lora_b")


def check_adapter(weights: GgufFacts, adapter: GgufFacts) -> None:
    """Make sure that an adapter was made for this model.

    Raises:
        ModelError: It is no LoRA adapter, or of another architecture or other sizes.
    """
    role = describe_role(adapter)
    if role is not Role.ADAPTER or adapter.keys.get("adapter.type") != "lora":
        raise ModelError(f"{adapter.path.name} is {role}, not a LoRA adapter")
    if adapter.architecture != weights.architecture:
        raise ModelError(
            f"{adapter.path.name} is for a {adapter.architecture or 'nameless'} model, and"
            f" {weights.path.name} is a {weights.architecture}",
            hint="use it with the model it was trained on",
        )
    names = {name.removesuffix(s) for name in adapter.tensors for s in SUFFIXES if name.endswith(s)}
    if not names:
        raise ModelError(f"{adapter.path.name} holds no LoRA matrices")
    for name in sorted(names):
        _check_sizes(weights, adapter, name)


def _check_sizes(weights: GgufFacts, adapter: GgufFacts, name: str) -> None:
    base = weights.tensors.get(name)
    first, second = (adapter.tensors.get(name + suffix) for suffix in SUFFIXES)
    if base is None:
        raise ModelError(f"{adapter.path.name} changes {name}, which {weights.path.name} lacks")
    if first is None or second is None or first[0] != second[1]:
        raise ModelError(f"{adapter.path.name} is damaged: {name} lacks one of its two matrices")
    if (second[0], first[1]) != base:
        raise ModelError(
            f"{adapter.path.name} is for a model of another size: {name} is"
            f" {second[0]} × {first[1]} there and {base[0]} × {base[1]} in {weights.path.name}",
            hint="use it with the model it was trained on",
        )
