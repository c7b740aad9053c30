"""What commands hear speech with: the sound of a video, and a Whisper model on this machine."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.cli.footage import Footage
from vidcli.core.time import Span
from vidcli.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vidcli.core.catalog import InstalledModel
    from vidcli.core.media import AudioStream

PREFIX = "whisper-"  # of the catalog's names, which may be left out
DEFAULT = "whisper-base"


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of one audio stream; a `core.protocols.SoundSource`."""

    source: Footage
    index: int

    def read(self, span: Span) -> "NDArray[np.float32]":
        """A stretch of it: (n,), one channel of 16 000 samples a second between -1 and 1."""
        import numpy as np

        whole: NDArray[np.int16] = self.source.worker.call(
            "sound", self.source.info.path, index=self.index, start=span.start, end=span.end
        )
        return whole.astype(np.float32) / np.float32(32768)


def choose_stream(source: Footage, language: str | None) -> "tuple[AudioStream | None, str]":
    """The audio stream to hear, and what a reader should know of the choice.

    Args:
        source: The opened video.
        language: The first stream that says it is in this language goes before the first of all.

    Returns:
        None where the file has no audio; the note is empty where there was nothing to choose.
    """
    streams = source.info.audio
    if not streams:
        return None, ""
    wanted = (language or "").lower()
    fitting = [s for s in streams if wanted and _short(s.language) == _short(wanted)]
    chosen = (fitting or list(streams))[0]
    note = f"the file has {len(streams)} audio streams: #{chosen.index} is heard"
    return chosen, note if len(streams) > 1 else ""


def _short(language: str | None) -> str:
    """`en` of `eng`, `en-GB` and `en`: what tags of containers and models have in common."""
    return (language or "").lower()[:2]


@dataclass(frozen=True, slots=True)
class WhisperFiles:
    """A Whisper model on this machine.

    Attributes:
        folder: Holds its files.
        name: For people.
    """

    folder: Path
    name: str

    def digest(self) -> str:
        """Names its weights."""
        from vidcli.models.digest import digest_file

        return digest_file((self.folder / "model.bin").resolve())


def find_whisper(named: str | None) -> WhisperFiles:
    """Find the model to hear with.

    Args:
        named: `base`, `whisper-base`, or a folder; None takes the largest that is installed.

    Raises:
        ModelError: It is not here; the hint is the line that gets it.
    """
    from vidcli.core.catalog import Kind
    from vidcli.models.catalog import find_model
    from vidcli.models.registry import find_installed, list_installed

    if named is None:
        found = [model for model in list_installed() if model.kind is Kind.SPEECH]
        if not found:
            raise ModelError(
                "no model that hears speech is installed", hint=f"vidcli models pull {DEFAULT}"
            )
        return _of_model(max(found, key=lambda model: (model.size_bytes, model.name)))
    if os.sep in named or os.path.isdir(named):
        folder = Path(named).expanduser()
        return WhisperFiles(folder, folder.name or named)
    names = (named, f"{PREFIX}{named}")
    for name in names:
        model = find_installed(name)
        if model is not None and model.kind is Kind.SPEECH:
            return _of_model(model)
    for name in names:
        spec = find_model(name)
        if spec is not None and spec.kind is Kind.SPEECH:
            raise ModelError(
                f"{spec.name} is not installed", hint=f"vidcli models pull {spec.name}"
            )
    raise ModelError(
        f"there is no Whisper model and no folder {named}",
        hint="sizes are tiny, base, small, medium and large-v3; 'vidcli models list --all'",
    )


def _of_model(model: "InstalledModel") -> WhisperFiles:
    if model.missing:
        raise ModelError(
            f"{model.name} is incomplete: {model.missing[0]} is gone",
            hint=f"vidcli models pull {model.name}",
        )
    return WhisperFiles(model.weights.parent, model.name)
