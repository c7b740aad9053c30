"""Whether a model is asked about videos that it learnt from: then its accuracy says little.

A bundle's history names the videos of each stage by digests of their names and of their contents,
and the drawn world's clips by their seed. Of a model without a history nothing can be said.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidcli.models.bundle import digest_video

NAMED = 3  # videos worth naming in a message
SET_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Leaks:
    """Videos of a set that occur in training data.

    Attributes:
        by_content: The same files, whatever their names.
        by_name: Others that are called as videos of training are.
        seed: Of the drawn world, where the set is of clips that were learnt from.
    """

    by_content: tuple[str, ...] = ()
    by_name: tuple[str, ...] = ()
    seed: int | None = None

    def sentences(self, total: int) -> tuple[str, ...]:
        """What a user should know, a sentence each; nothing where there is no leak.

        Args:
            total: Videos of the set.
        """
        said = []
        if self.by_content:
            said.append(f"{_some(self.by_content, total)} among those the model learnt from")
        if self.by_name:
            said.append(f"{_some(self.by_name, total)} called as ones the model learnt from")
        if self.seed is not None:
            said.append(
                f"the set is drawn from seed {self.seed} as the model's training clips were"
            )
        return tuple(f"{text}: accuracy there says little" for text in said)


def find_leaks(
    history: Iterable[Mapping[str, Any]], videos: Mapping[Path, str], folder: Path | None = None
) -> Leaks:
    """Compare the videos of a set with what the stages of a model learnt from.

    Args:
        history: Stages of training, as a bundle tells them.
        videos: Path and fingerprint of each video; an empty fingerprint is not compared.
        folder: Of the set, where it may be one that was drawn.
    """
    stages = list(history)
    names = _collect(stages, "video_ids")
    contents = _collect(stages, "video_contents")
    same = [
        path for path, content in videos.items() if content and digest_video(content) in contents
    ]
    called = [path for path in videos if path not in same and digest_video(path.stem) in names]
    return Leaks(
        tuple(path.name for path in same),
        tuple(path.name for path in called),
        _drawn_alike(stages, folder) if folder else None,
    )


def _collect(stages: Sequence[Mapping[str, Any]], key: str) -> set[str]:
    return {str(name) for stage in stages for name in stage.get(key, ())}


def _drawn_alike(stages: Sequence[Mapping[str, Any]], folder: Path) -> int | None:
    """The seed of a drawn set, where a stage learnt from that seed's training clips."""
    try:
        settings = json.loads((folder / SET_MANIFEST).read_text("utf-8"))["settings"]
        split, seed = settings["split"], int(settings["seed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no drawn set
    learnt = {data.get("file") for stage in stages for data in stage.get("data", ())}
    return seed if split == "train" and f"world:{seed}" in learnt else None


def _some(names: Sequence[str], total: int) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    are = "is" if len(names) == 1 else "are"
    return f"{len(names)} of {total} videos ({', '.join(names[:NAMED])}{more}) {are}"
