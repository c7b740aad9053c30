"""Sizes as people write them."""

KIB = 1024


def format_size(n_bytes: int) -> str:
    """Write a size as people do: `512 B`, `1.5 KiB`, `3.2 GiB`."""
    size, unit = float(n_bytes), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < KIB:
            break
        size, unit = size / KIB, larger
    return f"{n_bytes} B" if unit == "B" else f"{size:.1f} {unit}"
