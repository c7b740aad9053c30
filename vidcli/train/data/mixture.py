"""A mixture: a YAML list of data files, and how much to take of each.

    datasets:
      - json_path: captions.jsonl
        sampling_strategy: all
      - json_path: instruct.json
        sampling_strategy: random:20%

`all`, `first:N`, `end:N`, `random:N`; N may be a share such as `20%`. A bare list is taken too.
"""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vidcli.errors import UsageError
from vidcli.train.data.sample import Sample

_STRATEGY = re.compile(r"(first|end|random):(\d+(?:\.\d+)?)(%?)")


def read_mixture(
    path: Path, text: str, read: Callable[[Path], list[Sample]], *, seed: int
) -> list[Sample]:
    """Read the files of a mixture, each as much as it says.

    Args:
        path: Relative paths in it are relative to its own folder.
        text: What is in it.
        read: Reads one of the files, or a folder of them.
        seed: Of `random:…`; the same seed chooses the same rows.

    Raises:
        UsageError: The file or an entry is wrong: file, entry and reason are named.
    """
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    entries = value.get("datasets") if isinstance(value, dict) else value
    if not isinstance(entries, list) or not entries:
        raise UsageError(
            f"{path} is no list of data files", hint="see 'vidcli train pretrain --help'"
        )
    samples: list[Sample] = []
    for number, entry in enumerate(entries, start=1):
        where = f"{path} entry {number}"
        name = entry.get("json_path") or entry.get("path") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            raise UsageError(f"{where}: 'json_path' is missing")
        rows = read(path.parent / name)
        strategy = entry.get("sampling_strategy", "all")
        samples += choose_rows(rows, strategy, seed=seed, where=where, name=name)
    return samples


def choose_rows(
    rows: list[Sample], strategy: Any, *, seed: int, where: str, name: str
) -> list[Sample]:
    """The rows that a strategy takes, in file order.

    Raises:
        UsageError: There is no such strategy.
    """
    if strategy == "all":
        return rows
    found = _STRATEGY.fullmatch(str(strategy).replace(" ", ""))
    if found is None:
        raise UsageError(
            f"{where}: no sampling strategy {strategy!r}",
            hint="all, first:N, end:N, random:N, or N%",
        )
    kind, amount, percent = found.groups()
    n = round(len(rows) * float(amount) / 100) if percent else int(float(amount))
    n = min(n, len(rows))
    if kind == "first":
        return rows[:n]
    if kind == "end":
        return rows[len(rows) - n :]
    return [rows[i] for i in sorted(random.Random(f"{seed} {name}").sample(range(len(rows)), n))]
