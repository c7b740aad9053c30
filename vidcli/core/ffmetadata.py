"""FFMETADATA, the text form in which FFmpeg reads and writes chapters."""

from collections.abc import Iterable

TICKS = 1_000_000  # a second


def write_ffmetadata(chapters: Iterable[tuple[int, int, str]]) -> str:
    """Chapters as an FFMETADATA file.

    Args:
        chapters: (start, end, title) in order, in microseconds.
    """
    lines = [";FFMETADATA1"]
    for start, end, title in chapters:
        lines += [
            "[CHAPTER]",
            f"TIMEBASE=1/{TICKS}",
            f"START={start}",
            f"END={end}",
            f"title={escape_value(title)}",
        ]
    return "\n".join([*lines, ""])


def escape_value(text: str) -> str:
    r"""Write a value: `=`, `;`, `#`, `\` and line ends get a backslash; there is no NUL."""
    cleaned = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in cleaned)
