"""A second, closer look at the shots of a video: pairs of frames of each, and faces where asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidcli.cli.footage import Footage
from vidcli.cli.frames import fit_size
from vidcli.cli.terminal import Notes
from vidcli.core.camera import ShotDetails
from vidcli.core.media import Shot
from vidcli.core.onnx_header import OnnxRole

if TYPE_CHECKING:
    from vidcli.core.protocols import Detector, Progress


@dataclass(frozen=True, slots=True)
class CloserLook:
    """What shots are looked at with.

    Attributes:
        faces: Finds faces; None where no detector is there.
    """

    faces: "Detector | None"

    def look(
        self, source: Footage, shots: Sequence[Shot], progress: "Progress"
    ) -> tuple[ShotDetails, ...]:
        """How each shot looks.

        Raises:
            MediaError: Nothing could be decoded.
            EngineError: The face detector cannot be run.
        """
        from vidcli.tools.camera import LONG_SIDE
        from vidcli.tools.shot_details import FACE_SIDE, ShotWatcher, plan_pairs

        plan = plan_pairs(shots, source.info.video.average_rate)
        watcher = ShotWatcher(shots, plan, faces=self.faces)
        longest = LONG_SIDE if self.faces is None else FACE_SIDE
        size = fit_size(source.info.video.display_size, longest)
        for number, frame in enumerate(source.frames(plan, size=size), start=1):
            watcher.add(frame)
            progress("details", number, len(plan.frames))
        return watcher.finish()


def open_closer_look(face_model: str | None, *, notes: Notes) -> CloserLook:
    """Get ready to look at shots, with the face detector that is named or installed.

    Args:
        face_model: A name or a file; None for the installed one, or none.
        notes: Where to say that faces are not counted, and how they would be.

    Raises:
        ModelError: What is named is no face detector.
    """
    from vidcli.models.tool_files import choose_tool_file, find_tool_file
    from vidcli.tools.faces import FaceFinder

    if face_model is not None:
        return CloserLook(FaceFinder(choose_tool_file(OnnxRole.FACES, face_model)))
    found = find_tool_file(OnnxRole.FACES)
    if found.path is None:
        notes.tell(f"faces are not counted: {found.reason}; {found.remedy}")
        return CloserLook(None)
    return CloserLook(FaceFinder(found.path))
