"""Run a command as a child process and read what it cost off the operating system."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidcli.errors import EngineError

KIB = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What one finished child took, its own children included.

    Attributes:
        cpu_s: User and system seconds.
        wall_s: Seconds from start to end.
        peak_bytes: Largest resident memory of any one of its processes.
        output: What it printed.
    """

    cpu_s: float
    wall_s: float
    peak_bytes: int
    output: str

    @property
    def document(self) -> dict[str, Any]:
        """Its output as the JSON object it is."""
        parsed: dict[str, Any] = json.loads(self.output)
        return parsed


def run_python(
    module: str, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None
) -> Cost:
    """Run `python -m MODULE ARGUMENTS` to its end.

    Raises:
        EngineError: It failed; its last words are the reason.
    """
    command = [sys.executable, "-m", module, *arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(environment or {})},
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output, words = (_read(file) for file in (out, err))
    if child.returncode:
        raise EngineError(
            f"{module} {arguments[0] if arguments else ''} failed with {child.returncode}: "
            f"{words.strip()[-300:]}"
        )
    unit = 1 if sys.platform == "darwin" else KIB  # ru_maxrss is bytes there, KiB elsewhere
    return Cost(usage.ru_utime + usage.ru_stime, wall_s, usage.ru_maxrss * unit, output)


def _read(file: Any) -> str:
    file.seek(0)
    data: bytes = file.read()
    return data.decode("utf-8", "replace")


def median_cost(costs: Sequence[Cost]) -> Cost:
    """The run with the median CPU seconds (the lower one of an even count)."""
    middle = statistics.median_low([cost.cpu_s for cost in costs])
    return next(cost for cost in costs if cost.cpu_s == middle)
