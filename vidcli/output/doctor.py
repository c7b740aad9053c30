"""What the doctor found, as a table and as a JSON document."""

import io
from collections.abc import Sequence

from vidcli.core.findings import Finding, Level
from vidcli.output.documents import Document, head
from vidcli.output.plain import count, printable

Found = Sequence[tuple[str, Finding]]
STYLES = {Level.OK: "green", Level.NOTE: "cyan", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}
REMEDY = "→ "


def doctor_document(found: Found) -> Document:
    """The document `doctor`."""
    return {
        "schema": head("doctor"),
        "works": worst_of(found) is not Level.PROBLEM,
        "counts": {level.name.lower(): count_level(found, level) for level in Level},
        "findings": [
            {
                "area": area,
                "check": finding.check,
                "level": finding.level.name.lower(),
                "text": finding.text,
                "remedy": finding.remedy or None,
                "facts": dict(finding.facts),
            }
            for area, finding in found
        ],
    }


def worst_of(found: Found) -> Level:
    """The highest level of all findings."""
    return max((finding.level for _, finding in found), default=Level.OK)


def count_level(found: Found, level: Level) -> int:
    """How many findings are of a level."""
    return sum(finding.level is level for _, finding in found)


def say_verdict(found: Found) -> str:
    """One line for the end: `2 warnings, 1 problem`."""
    problems, warnings = (count_level(found, level) for level in (Level.PROBLEM, Level.WARNING))
    said = f"{count(warnings, 'warning')} in {count(len(found), 'finding')}"
    return f"{count(problems, 'problem')} and {said}" if problems else f"vidcli works here: {said}"


def finding_rows(found: Found) -> list[tuple[str, str, str]]:
    """One row for each finding, and one below it for its remedy."""
    rows = []
    for area, finding in found:
        rows.append((finding.level.name.lower(), area, printable(finding.text)))
        if finding.remedy:
            rows.append(("", "", REMEDY + printable(finding.remedy)))
    return rows


def draw_findings(found: Found, *, color: bool, width: int) -> str:
    """A table for a terminal, the level of each finding in its colour.

    Args:
        found: In order.
        color: Whether colour codes may be written.
        width: Columns of the terminal.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    styles = {level.name.lower(): style for level, style in STYLES.items()}
    last = ""
    for level, area, text in finding_rows(found):
        shown = Text(text, style="bold" if text.startswith(REMEDY) else "")
        name = "" if area == last else area
        table.add_row(Text(level, style=styles.get(level, "")), Text(name, style="bold"), shown)
        last = area or last
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=color, no_color=not color, highlight=False
    )
    console.print(table)
    return stream.getvalue()
