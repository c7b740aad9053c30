"""What file names of GGUF repositories tell: quantization, parts of a split, projectors."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_QUANT = re.compile(
    r"(?:^|[-_.])"
    r"(?P<quant>(?:UD[-_])?(?:I?Q\d(?:_(?:K|[01]|NL|XXS|XS|S|M|L|XL))*|TQ\d_\d|BF16|F16|FP16|F32"
    r"|MXFP4))"
    r"(?=[-_.]|$)",
    re.IGNORECASE,
)
_PART = re.compile(r"-(?P<part>\d{5})-of-(?P<parts>\d{5})(?=\.gguf$)", re.IGNORECASE)
_HELPERS = ("mmproj", "imatrix", "mtp-", "vocab-only")  # GGUF files that are no language model


def read_quant(path: str) -> str:
    """The quantization a file name tells, as `Q4_K_M`; empty where it tells none."""
    found = list(_QUANT.finditer(PurePosixPath(whole_name(path)).stem))
    if not found:
        return ""
    quant = found[-1]["quant"].upper().replace("UD_", "UD-")
    return "F16" if quant == "FP16" else quant


def matches(path: str, pattern: str) -> bool:
    """Whether a file's name, without its folder, fits a pattern, whatever the case."""
    return fnmatchcase(PurePosixPath(path).name.casefold(), pattern.casefold())


def is_weights(path: str, pattern: str) -> bool:
    """Whether a file of a repository may be weights that fit a pattern."""
    name = PurePosixPath(path).name.casefold()
    return matches(path, pattern) and not any(helper in name for helper in _HELPERS)


def whole_name(path: str) -> str:
    """A file's path, or what all parts of a split share: `x-00001-of-00003.gguf` is `x.gguf`."""
    return _PART.sub("", path)


def count_parts(path: str) -> int:
    """How many parts the file's model is split into; 1 where it is whole."""
    found = _PART.search(path)
    return int(found["parts"]) if found else 1


def group_parts(paths: Iterable[str]) -> dict[str, Sequence[str]]:
    """Files by model: whole files alone, parts of a split one together and in order."""
    groups: dict[str, list[str]] = {}
    for path in sorted(paths):
        groups.setdefault(whole_name(path), []).append(path)
    return dict(groups)
