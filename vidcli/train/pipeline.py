"""Recipes of commands: a file that lists what would be typed, step after step.

    bundle = "export"

    [[step]]
    name = "narrate"
    run = "data narrate {here}/clips --model nano --out {out}/pairs.jsonl"
    makes = ["pairs.jsonl"]

    [[step]]
    name = "chat"
    run = ["chat", "{here}/clip.mp4", "--model", "{out}/export", "--mode", "hybrid"]
    lines = "What is said, and what is seen?"

`{out}` stands for the folder of all that is made, `{here}` for that of the file. `makes` names what
a step leaves in that folder, `lines` is what it reads from standard input, `bundle` the folder of
the model in the end.

Not here: carrying them out (`vidcli.cli.train_pipeline`).
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vidcli.errors import UsageError
from vidcli.train.notes import digest_facts

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Command:
    """One step.

    Attributes:
        name: Of the step.
        words: As typed behind `vidcli`, with `{out}` and `{here}` in them.
        makes: Files and folders that it leaves, below the folder of all that is made.
        lines: What it reads from standard input.
    """

    name: str
    words: tuple[str, ...]
    makes: tuple[str, ...]
    lines: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands in the order in which they are run.

    Attributes:
        name: Of the recipe.
        title: One line for people.
        here: Folder of the file.
        bundle: Of the model in the end, below the folder of all that is made.
        commands: At least one.
    """

    name: str
    title: str
    here: Path
    bundle: str
    commands: tuple[Command, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the commands."""
        return tuple(command.name for command in self.commands)

    def digests(self) -> dict[str, str]:
        """Names what the file says of each step and of those before it."""
        found, before = {}, ""
        for command in self.commands:
            before = digest_facts(before, command.words, command.lines)
            found[command.name] = before
        return found

    def spell(self, command: Command, out: Path) -> list[str]:
        """The words of a command for a folder."""
        places = {"{out}": str(out), "{here}": str(self.here)}
        return [_fill(word, places) for word in command.words]


def read_pipeline(document: Mapping[str, Any], *, name: str, here: Path) -> Pipeline:
    """A recipe of commands from its document.

    Raises:
        UsageError: It names something unknown, or lacks something.
    """
    given = dict(document)
    title, bundle, steps = (given.pop(key, "") for key in ("title", "bundle", "step"))
    try:
        if given:
            raise ValueError(f"it names something unknown: {sorted(given)[0]}")
        if not isinstance(steps, list) or not steps:
            raise ValueError("step is no list of steps")
        commands = tuple(_read_command(step) for step in steps)
        twice = {one.name for one in commands if sum(c.name == one.name for c in commands) > 1}
        if twice:
            raise ValueError(f"two steps are called {min(twice)}")
        if not bundle:
            raise ValueError("bundle is missing: the folder of the model in the end")
        return Pipeline(name, str(title), here, _inside(bundle), commands)
    except (ValueError, TypeError) as error:
        raise UsageError(f"the recipe {name}: {error}") from error


def _read_command(given: Any) -> Command:
    if not isinstance(given, dict):
        raise TypeError("a step is no table")
    unknown = sorted(set(given) - {"name", "run", "makes", "lines"})
    if unknown:
        raise ValueError(f"a step knows no {unknown[0]}")
    name, run = given.get("name"), given.get("run")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError("a step has a name of small letters, digits and hyphens")
    words = shlex.split(run) if isinstance(run, str) else run
    if not isinstance(words, list) or not words or not all(isinstance(w, str) for w in words):
        raise ValueError(f"{name}: run is the command as it is typed, or a list of its words")
    makes, lines = given.get("makes", []), given.get("lines", "")
    if not isinstance(makes, list) or not isinstance(lines, str):
        raise TypeError(f"{name}: makes is a list of names, lines is text")
    return Command(name, tuple(words), tuple(map(_inside, makes)), lines)


def _inside(name: Any) -> str:
    """A name below the folder of all that is made.

    Raises:
        ValueError: It leads out of it.
    """
    path = PurePosixPath(name if isinstance(name, str) else "")
    if not path.parts or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} is no name below the folder of all that is made")
    return str(path)


def _fill(word: str, places: Mapping[str, str]) -> str:
    return re.sub(r"\{(?:out|here)\}", lambda found: places[found[0]], word)
