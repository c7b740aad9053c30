"""What a check of the installation found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class Level(IntEnum):
    """How much a finding matters, rising.

    NOTE is worth knowing; WARNING makes something slower or impossible that few need; PROBLEM is
    something that must work and does not.
    """

    OK = 0
    NOTE = 1
    WARNING = 2
    PROBLEM = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: Names the check in documents; never changed once published.
        level: How much it matters.
        text: One sentence without a final full stop.
        remedy: The command to type, or what to change; empty where nothing is wrong.
        facts: Plain values behind the sentence, for programs.
    """

    check: str
    level: Level
    text: str
    remedy: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
