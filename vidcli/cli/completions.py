"""Write `completions/`: what bash, zsh, fish and PowerShell load to complete `vidcli`.

`python -m vidcli.cli.completions completions` writes the files; a test compares them with the app.
"""

import os
import subprocess
import sys
from pathlib import Path

from vidcli.core.files import atomic_write

FILES = {"bash": "vidcli.bash", "zsh": "_vidcli", "fish": "vidcli.fish", "powershell": "vidcli.ps1"}

# zsh runs an autoloaded file the first time it is asked to complete: the file must define the
# function and answer in one go.
_ZSH_ANSWER = '\nif [[ "$funcstack[1]" = "_vidcli" ]]; then\n  _vidcli_completion "$@"\nfi'


def render(shell: str) -> str:
    """The completion script of a shell, as the app itself gives it."""
    done = subprocess.run(
        [sys.executable, "-m", "vidcli"],
        env=os.environ | {"_VIDCLI_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip() + (_ZSH_ANSWER if shell == "zsh" else "") + "\n"


def write_all(folder: Path) -> None:
    """Write the scripts of every shell into a folder."""
    for shell, name in FILES.items():
        with atomic_write(folder / name) as file:
            file.write(render(shell).encode())


if __name__ == "__main__":
    write_all(Path(sys.argv[1] if len(sys.argv) > 1 else "completions"))
