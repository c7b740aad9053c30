"""Sizes as people write them."""

from fractions import Fraction

KIB = 1024
GIB = KIB**3


def format_size(n_bytes: int) -> str:
    """Write a size as people do: `512 B`, `1.5 KiB`, `3.2 GiB`."""
    size, unit = float(n_bytes), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < KIB:
            break
        size, unit = size / KIB, larger
    return f"{n_bytes} B" if unit == "B" else f"{size:.1f} {unit}"


def format_about(n_bytes: int) -> str:
    """Write a size that is known roughly: `~266 MiB`, `~3.2 GiB`; a decimal only below ten."""
    number, unit = format_size(n_bytes).split()
    return f"~{number if float(number) < 10 else round(float(number))} {unit}"


def parse_size(text: str) -> int:
    """Read a size: `500MB`, `2GB`, `1.5GiB`, `1000`; 1 GB is 10^9 bytes.

    Raises:
        ValueError: It is none of these.
    """
    cleaned = text.strip().lower().removesuffix("b")
    binary = cleaned.endswith("i")
    cleaned = cleaned.removesuffix("i")
    power = "kmgt".find(cleaned[-1:]) + 1 if cleaned else 0
    digits = (cleaned[:-1] if power else cleaned).strip()
    whole, _, decimals = digits.partition(".")
    if not (whole + decimals).isascii() or not (whole + decimals).isdigit() or binary > power:
        raise ValueError(f"{text!r} is not a size; write 500MB, 2GB or 1.5GiB")
    return int(Fraction(digits) * (1024 if binary else 1000) ** power)
