"""Write `docs/commands.md`: every command with its help, and the exit codes, from the app itself.

`python -m vidcli.cli.reference docs/commands.md` writes the file; a test compares it with the app.
"""

import os
import subprocess
import sys
from pathlib import Path

from vidcli.cli.app import PANELS, UPKEEP, caches
from vidcli.cli.models import COMMANDS
from vidcli.core.files import atomic_write
from vidcli.errors import ExitCode

WIDTH = "100"
MEANINGS = {
    ExitCode.OK: "done; `check`: yes",
    ExitCode.NEGATIVE: "`check`: no",
    ExitCode.USAGE: "the command line makes no sense",
    ExitCode.MEDIA: "the video cannot be used",
    ExitCode.MODEL: "the model cannot be used",
    ExitCode.RESOURCE: "it does not fit: context, memory, disk",
    ExitCode.ENGINE: "llama.cpp failed on input it should have taken",
    ExitCode.SETUP: "ffmpeg or an optional extra is missing",
    ExitCode.PARTIAL: "some inputs failed, the rest is done",
    ExitCode.BUG: "a bug of ours; the traceback is kept in a file that the message names",
    ExitCode.INTERRUPTED: "interrupted; what was finished is kept",
}


def render() -> str:
    """The whole page as Markdown."""
    parts = ["# Commands\n\nWritten by `python -m vidcli.cli.reference docs/commands.md`.\n"]
    for panel, functions in PANELS.items():
        parts.append(f"\n## {panel}\n")
        parts += [_section([function.__name__]) for function in functions]
        if panel == UPKEEP:
            parts += [_section(["models", name]) for name in COMMANDS]
            parts += [_section(["cache", name]) for name in _cache_commands()]
    parts.append("\n## Exit codes\n\n| code | meaning |\n|---|---|\n")
    parts += [f"| {code.value} | {MEANINGS[code]} |\n" for code in ExitCode]
    return "".join(parts)


def _cache_commands() -> list[str]:
    functions = [command.callback for command in caches.registered_commands]
    return [function.__name__ for function in functions if function is not None]


def _section(words: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "vidcli", *words, "--help"],
        env=os.environ | {"COLUMNS": WIDTH, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return f"\n### vidcli {' '.join(words)}\n\n```\n{done.stdout.strip()}\n```\n"


def write(path: Path) -> None:
    """Write the page to a file."""
    with atomic_write(path) as file:
        file.write(render().encode())


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/commands.md"))
