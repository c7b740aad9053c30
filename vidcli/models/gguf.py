"""What a GGUF file is and holds, or one clear sentence why it is none.

Not here: whether two files fit each other (`models.pair`).
"""

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from vidcli.core.model import GgufFacts, Scalar
from vidcli.errors import ModelError
from vidcli.models.header import Header, HeaderError, TensorInfo, iterate_strings, read_header

TOKENS = "tokenizer.ggml.tokens"
_SPLIT_NAME = re.compile(r"(?P<stem>.+)-(?P<part>\d{5})-of-(?P<parts>\d{5})\.gguf")
_ENCODERS = ("bert", "t5encoder", "gemma-embedding", "llama-embed")  # text in, vectors out
# What people save under a model's name, by the first bytes of it.
_LOOKALIKES = (
    (b"<", "is a web page, not a model", "the download needs a login or another address"),
    (
        b"version https://git-lfs",
        "is a Git LFS pointer, not the model itself",
        "run 'git lfs pull'",
    ),
    (b"PK", "is a PyTorch checkpoint or an archive, not a GGUF file", None),
    (b"ggml", "is of GGML's format before GGUF", None),
    (b"tjgg", "is of GGML's format before GGUF", None),
    (b"fmgg", "is of GGML's format before GGUF", None),
    (b"lmgg", "is of GGML's format before GGUF", None),
    (b"{", "is a JSON file, not a model", None),
    (b"Entry not found", "is an error page, not a model", "check the address of the download"),
)
_CONVERT = "get the model as GGUF, or convert it with llama.cpp's convert_hf_to_gguf.py"


class Role(StrEnum):
    """What a GGUF file is for, as a noun for messages."""

    WEIGHTS = "a language model"
    MMPROJ = "a vision projector (mmproj)"
    ADAPTER = "a LoRA adapter"
    EMBEDDING = "a text embedding model"
    OTHER = "neither a language model nor a projector"


def read_facts(path: Path) -> GgufFacts:
    """Read what a GGUF file says of itself; all parts of it, where it is split.

    Args:
        path: The file; of a split model the first part.

    Returns:
        Keys of the first part; tensors and sizes of all parts together.

    Raises:
        ModelError: Missing, a directory, not GGUF, damaged, cut short, or a later part of a split.
    """
    keys: dict[str, Scalar] = {}
    tensors: dict[str, TensorInfo] = {}
    size = 0
    parts = split_parts(path)
    for part in parts:
        header = _read_whole_header(part)
        keys = keys or header.keys
        tensors |= header.tensors
        size += part.stat().st_size
    count = keys.get("split.count")
    if isinstance(count, int) and count > 1 and len(parts) == 1:
        raise ModelError(
            f"{path.name} is one of {count} parts of a split model, and was renamed",
            hint="give the parts their names back: NAME-00001-of-0000N.gguf",
        )
    return GgufFacts(
        path=path,
        keys=keys,
        tensors={name: info.shape for name, info in tensors.items()},
        quant=_main_type(tensors.values()),
        n_params=sum(_elements(info) for info in tensors.values()),
        size_bytes=size,
    )


def split_parts(path: Path) -> tuple[Path, ...]:
    """All files of a model, in order: the file itself, or every part of a split one.

    Parts are known by their name (`…-00001-of-00003.gguf`), which is how llama.cpp finds them.

    Raises:
        ModelError: The path is not the first part, or a part is missing.
    """
    match = _SPLIT_NAME.fullmatch(path.name)
    if match is None or int(match["parts"]) <= 1:
        return (path,)
    names = [
        path.with_name(f"{match['stem']}-{n:05d}-of-{match['parts']}.gguf")
        for n in range(1, int(match["parts"]) + 1)
    ]
    if int(match["part"]) != 1:
        raise ModelError(
            f"{path.name} is part {int(match['part'])} of a split model",
            hint=f"name its first part: {names[0]}",
        )
    missing = [name.name for name in names if not name.exists()]
    if missing and path.exists():
        raise ModelError(
            f"{path.name} is part of a split model and {', '.join(missing)} is missing beside it",
            hint="download all parts into one directory",
        )
    return tuple(names) if not missing else (path,)


def describe_role(facts: GgufFacts) -> Role:
    """Tell what a file is for, from its keys."""
    architecture = facts.architecture
    if facts.keys.get("general.type") == "adapter" or "adapter.type" in facts.keys:
        return Role.ADAPTER
    if architecture == "clip" or facts.projector or facts.keys.get("general.type") == "mmproj":
        return Role.MMPROJ
    if integer_of(facts, f"{architecture}.pooling_type") > 0 or any(
        name in architecture for name in _ENCODERS
    ):
        return Role.EMBEDDING
    if f"{architecture}.block_count" in facts.keys and facts.tensors:
        return Role.WEIGHTS
    return Role.OTHER


def integer_of(facts: GgufFacts, key: str) -> int:
    """A whole-number key; 0 where it is absent or of another type."""
    value = facts.keys.get(key)
    return value if isinstance(value, int) else 0


def missing_tokens(facts: GgufFacts, wanted: Iterable[str]) -> tuple[str, ...]:
    """Which of these token texts the vocabulary lacks, in the order given.

    Line breaks are found as text and in the spelling of byte-level BPE.

    Raises:
        ModelError: The file changed or broke since its facts were read.
    """
    spellings = {text: _spellings(text) for text in wanted}
    sought = {spelling for group in spellings.values() for spelling in group}
    try:
        header = read_header(facts.path)
        found = sought.intersection(iterate_strings(facts.path, header, TOKENS))
    except (HeaderError, OSError) as error:
        raise ModelError(f"the vocabulary of {facts.path.name} cannot be read: {error}") from error
    return tuple(text for text, group in spellings.items() if not found.intersection(group))


def _spellings(text: str) -> tuple[bytes, ...]:
    if text.strip("\n"):
        return (text.encode(),)
    spelled = (text.encode(), text.replace("\n", "Ċ").encode())
    return (*spelled, b"<0x0A>") if text == "\n" else spelled


def _read_whole_header(path: Path) -> Header:
    """Read a header, and check that the file is as long as its tensors say."""
    try:
        if path.exists() and not path.is_file():
            kind = "a directory" if path.is_dir() else "a device or a pipe"
            raise ModelError(f"{path} is {kind}, not a GGUF file")
        header = read_header(path)
    except FileNotFoundError as error:
        raise ModelError(
            f"there is no model file {path}", hint="check the path, or see 'vidcli models list'"
        ) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    except HeaderError as error:
        raise _explain(path, error) from error
    size = path.stat().st_size
    if size < header.end:
        raise ModelError(
            f"{path.name} is cut short: {size:,} bytes of {header.end:,}",
            hint="download it again",
        )
    return header


def _explain(path: Path, error: HeaderError) -> ModelError:
    """Say what a file that is not GGUF is instead, where its first bytes tell."""
    with path.open("rb") as file:
        start = file.read(64)
    if start[8:10] == b'{"':  # an 8-byte length, then JSON
        return ModelError(f"{path.name} is a safetensors file, not GGUF", hint=_CONVERT)
    if not start.startswith(b"GGUF"):
        for prefix, what, hint in _LOOKALIKES:
            if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(prefix):
                return ModelError(f"{path.name} {what}", hint=hint or _CONVERT)
    again = "download it again" if start.startswith(b"GGUF") or not start else _CONVERT
    return ModelError(f"{path.name} {error}", hint=again)


def _main_type(infos: Iterable[TensorInfo]) -> str:
    """The type most weights are stored in; empty where there are none."""
    by_type: Counter[str] = Counter()
    for info in infos:
        by_type[info.dtype] += _elements(info)
    return by_type.most_common(1)[0][0] if by_type else ""


def _elements(info: TensorInfo) -> int:
    elements = 1
    for size in info.shape:
        elements *= size
    return elements
