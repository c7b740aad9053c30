"""`find --boxes`: the things that a query names, followed through what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidcli.cli.detecting import TRACK_FPS, Search
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Looking
from vidcli.core.moments import Followed, Moment, Things
from vidcli.core.onnx_header import OnnxRole
from vidcli.core.protocols import Progress
from vidcli.errors import UsageError
from vidcli.output.plain import count, printable

SURE = 0.5  # of a box that begins a track, as `detect` has it
SHOWN = 12  # labels named to those whose words are none


@dataclass(frozen=True, slots=True)
class Follower:
    """Follows things through spans of a video.

    Attributes:
        search: What to look for, with what.
        sha256: Of the detector's file.
    """

    search: Search
    sha256: str

    def describe(self) -> dict[str, Any]:
        """Everything that shapes what is followed."""
        search = self.search
        return {"detector": self.sha256, "labels": sorted(search.wanted), "score": search.score}

    def follow(
        self, source: Footage, moments: Sequence[Moment], *, progress: Progress
    ) -> tuple[Things, tuple[str, ...]]:
        """Follow the things through each moment; also returns what a reader must know.

        Raises:
            MediaError: A frame cannot be decoded.
            EngineError: The network cannot be run.
        """
        followed, warnings = [], dict[str, None]()
        for moment in moments:
            looking = Looking(start=moment.span.start, end=moment.span.end)
            seen = self.search.look(source, looking, progress=progress)
            followed.append(Followed(seen.tracks or (), len(seen.found), seen.dropped))
            warnings |= dict.fromkeys(seen.warnings)
        search = self.search
        labels = tuple(sorted(search.wanted))
        return Things(search.name, labels, search.score, tuple(followed)), tuple(warnings)

    def announce(self) -> str:
        """What will be done, in one line."""
        labels = " and ".join(map(printable, sorted(self.search.wanted)))
        name = self.search.name
        return f"{labels} will be followed by {name} through what is found, {TRACK_FPS:g} times a s"


def open_follower(query: str, named: str | None) -> Follower:
    """Load the detector, and find out what of the query it knows.

    Args:
        query: What is looked for.
        named: A file, or the name of an installed model; None for the installed one.

    Raises:
        ModelError: There is no detector, or it cannot be used.
        UsageError: It knows no word of the query.
    """
    from vidcli.methods.naming import find_named
    from vidcli.models.digest import digest_model
    from vidcli.models.tool_files import choose_tool_file
    from vidcli.tools.tracking import UNSURE
    from vidcli.tools.yolox import YoloxDetector

    path = choose_tool_file(OnnxRole.DETECTOR, named, option="--detector")
    detector = YoloxDetector(path, labels_file=None, score=UNSURE)
    labels = find_named(query, detector.labels)
    if not labels:
        raise UsageError(
            f"--boxes: no word of {query!r} is one that {path.name} knows",
            hint=_hint_vocabulary(path, detector.labels, is_named=named is not None),
        )
    search = Search(detector, path.name, frozenset(labels), SURE, follows=True, has_sheet=False)
    return Follower(search, digest_model(path))


def _hint_vocabulary(path: Path, labels: Sequence[str], *, is_named: bool) -> str:
    """What the detector does know, and how to see all of it."""
    some = ", ".join(map(printable, labels[:SHOWN]))
    if len(labels) <= SHOWN:
        return f"it knows {some}"
    option = f" --model {path}" if is_named else ""
    return (
        f"it knows {count(len(labels), 'kind')} of things, such as {some}; "
        f"'vidcli detect --vocabulary{option}' names them all"
    )
