"""Run the real command: in this process, or as a process of its own."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from typer.testing import CliRunner, Result

from vidcli.cli.app import app

VIDCLI = (sys.executable, "-m", "vidcli")


def invoke(*args: str, stdin: str | None = None, env: Mapping[str, str] | None = None) -> Result:
    """Run the app here; what is no expected failure comes out as the exception it is."""
    return CliRunner().invoke(
        app, list(args), input=stdin, env=env, catch_exceptions=False, prog_name="vidcli"
    )


def spawn(*args: str | bytes, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run the command as a process and wait for it."""
    return subprocess.run(
        [*VIDCLI, *args], capture_output=True, text=True, timeout=60, check=False, **options
    )


def shell(script: str, *args: str, program: str = "bash") -> "subprocess.CompletedProcess[str]":
    """Run a shell script in which `$VIDCLI` is the command and `$1` and on are `args`."""
    quoted = " ".join(VIDCLI)
    return subprocess.run(
        [program, "-c", f'VIDCLI="{quoted}"\n{script}', program, *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def words(text: str) -> Sequence[str]:
    """White-space separated words."""
    return text.split()
