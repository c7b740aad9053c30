"""Detector and classifier as senses of an agent: there where their files are installed."""

from collections import Counter
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from vidcli.cli.actions import Watching, watch
from vidcli.cli.detecting import Search
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Looking
from vidcli.core.agent import Told
from vidcli.core.onnx_header import OnnxRole
from vidcli.core.protocols import ClipClassifier, Detector, Progress
from vidcli.core.time import Span
from vidcli.errors import VidcliError
from vidcli.models.tool_files import find_tool_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from vidcli.core.tracks import Track
    from vidcli.methods.agent.knowing import Sense

SURE = 0.5  # of a box that is told of
DETECT, ACTIONS, OBJECTS = "detect", "actions", "object_memory_querying"
T = TypeVar("T")


def open_detector() -> tuple[Detector | None, str]:
    """The installed detector; or none, and why."""
    return _open(OnnxRole.DETECTOR, _load_detector)


def open_classifier() -> tuple[ClipClassifier | None, str]:
    """The installed classifier of clips; or none, and why."""
    return _open(OnnxRole.ACTIONS, _load_classifier)


@cache
def _load_detector(path: "Path") -> Detector:
    from vidcli.tools.tracking import UNSURE
    from vidcli.tools.yolox import YoloxDetector

    return YoloxDetector(path, labels_file=None, score=UNSURE)


@cache
def _load_classifier(path: "Path") -> ClipClassifier:
    from vidcli.tools.actions import ActionNetwork

    return ActionNetwork(path, labels_file=None)


def _open(role: OnnxRole, load: "Callable[[Path], T]") -> "tuple[T | None, str]":
    try:
        found = find_tool_file(role)
        if found.path is None:
            return None, f"{found.reason}; {found.remedy}"
        return load(found.path), ""
    except VidcliError as error:  # a damaged file costs its tool, and no run
        return None, str(error)


def explain_networks() -> dict[str, str]:
    """Why tools that need a network are not there, by name; empty texts where they are."""
    no_detector, no_classifier = open_detector()[1], open_classifier()[1]
    return {DETECT: no_detector, ACTIONS: no_classifier, OBJECTS: no_detector}


class Networks:
    """What networks tell of one video.

    Args:
        source: The opened video.
        progress: Told while they look.
    """

    def __init__(self, source: Footage, progress: Progress | None) -> None:
        self._source = source
        self._progress = progress

    def list_senses(self) -> "list[Sense]":
        """A sense for each network that is there."""
        from vidcli.methods.agent.knowing import Sense, name_some

        senses = []
        (detector, _), (classifier, _) = open_detector(), open_classifier()
        if detector is not None:
            known = name_some(detector.labels)
            purpose = f"which of these things are seen from second start to second end: {known}"
            senses.append(Sense(DETECT, purpose, self._detect))
        if classifier is not None:
            known = name_some(classifier.labels)
            purpose = f"which of these actions happen from second start to second end: {known}"
            senses.append(Sense(ACTIONS, purpose, self._classify))
        return senses

    def follow(self, span: Span) -> "tuple[Sequence[Track], int]":
        """Things that were followed through a part, and how many frames that took."""
        seen = self._search(follows=True).look(
            self._source, Looking(start=span.start, end=span.end), progress=self._tell
        )
        return seen.tracks or (), len(seen.found)

    def _detect(self, span: Span) -> "tuple[Sequence[Told], int]":
        """How many of each kind of thing are seen at once, at most."""
        seen = self._search(follows=False).look(
            self._source, Looking(start=span.start, end=span.end), progress=self._tell
        )
        n_frames = len(seen.found)
        most: Counter[str] = Counter()
        times: dict[str, list[Fraction]] = {}
        for time, detections in seen.found:
            counted = Counter(one.label for one in detections)
            most |= counted
            for label in counted:
                times.setdefault(label, []).append(time)
        told = [
            Told(
                "thing",
                f"{label}, at most {most[label]} at once, in {len(when)} of {n_frames} frames",
                _between(when, span),
            )
            for label, when in times.items()
        ]
        return told, n_frames

    def _classify(self, span: Span) -> "tuple[Sequence[Told], int]":
        classifier, _ = open_classifier()
        assert classifier is not None, "offered only where it is"
        watching = Watching(start=span.start, end=span.end)
        watched = watch(classifier, self._source, watching, progress=self._tell)
        told = [
            Told("action", f"{found.label} ({found.probability:.2f})", found.span)
            for found in watched.actions
        ]
        return told, len(watched.windows) * classifier.length

    def _search(self, *, follows: bool) -> Search:
        detector, _ = open_detector()
        assert detector is not None, "offered only where it is"
        return Search(detector, DETECT, frozenset(detector.labels), SURE, follows, has_sheet=False)

    def _tell(self, phase: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(phase, done, total)


def _between(times: "Sequence[Fraction]", span: Span) -> Span:
    """From the first of some times to the last, inside a span."""
    first, last = max(min(times), span.start), max(times)
    return Span(first, min(max(last, first + Fraction(1, 1000)), max(span.end, first + 1)))
