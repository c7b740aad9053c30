"""Text that people read: nothing in a file can move the cursor or colour the screen."""

from collections.abc import Sequence

from vidcli.core.units import format_size as format_size


def printable(text: str, *, keep: str = "") -> str:
    r"""Escape everything that is not a visible character or a space.

    File names, titles and model output may hold newlines, escape sequences and bytes that are no
    text at all; those bytes come out as `\xff`, the rest as Python writes it.

    Args:
        text: From anywhere; lone surrogates from file names are fine.
        keep: Characters to leave alone, such as a newline in an answer.
    """
    return "".join(
        letter if letter.isprintable() or letter in keep else _escape(letter) for letter in text
    )


def _escape(letter: str) -> str:
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")


def count(number: int, noun: str, plural: str = "") -> str:
    """Write `1 frame`, `2 frames`, `0 entries`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def align(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Lay rows out in columns two spaces apart, each line ended by a newline.

    Args:
        rows: Cells by row; rows may be of different lengths.
        right: Numbers of the columns to align at their right edge.
    """
    widths: dict[int, int] = {}
    for row in rows:
        for column, cell in enumerate(row):
            widths[column] = max(widths.get(column, 0), len(cell))
    lines = []
    for row in rows:
        cells = [
            cell.rjust(widths[column]) if column in right else cell.ljust(widths[column])
            for column, cell in enumerate(row)
        ]
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)
