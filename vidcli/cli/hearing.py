"""What commands hear speech with: the sound of a video, and a Whisper model on this machine."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli import settings
from vidcli.cli.footage import Footage
from vidcli.core.protocols import Progress, Transcriber
from vidcli.core.speech import Heard, Listening
from vidcli.core.time import Span
from vidcli.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vidcli.core.catalog import InstalledModel
    from vidcli.core.media import AudioStream

PREFIX = "whisper-"  # of the catalog's names, which may be left out
DEFAULT = "whisper-base"
PROBE_S = Fraction(30)  # what a speech model hears at once
PROBES = (Fraction(1, 2), Fraction(1, 4), Fraction(3, 4))  # of a video, until somebody speaks


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


def hear_video(
    source: Footage,
    span: Span,
    listening: Listening,
    open_transcriber: Callable[[], Transcriber],
    *,
    keeps: bool = True,
    is_anew: bool = False,
    progress: Progress | None = None,
) -> Heard:
    """Write down what is said in a span of a video.

    Args:
        source: The opened video; one without audio has no transcript.
        span: On its clock.
        listening: How to hear.
        open_transcriber: Loads what hears; not called without audio.
        keeps: Whether what is heard is kept on disk, and found there.
        is_anew: Whether what was kept is heard again.
        progress: Told the seconds heard.

    Raises:
        VidcliError: The sound cannot be decoded, or not be heard.
    """
    from vidcli.library.segments import SegmentStore
    from vidcli.methods.listening import listen

    stream, note = choose_stream(source, listening.language)
    notes = (note,) if note else ()
    if stream is None:
        return Heard(None, notes)
    with ExitStack() as stack:
        pieces = None
        if keeps:
            store = stack.enter_context(SegmentStore(settings.state_dir()))
            pieces = store.of(f"{source.fingerprint}#{stream.index}", anew=is_anew)
        sound = Sound(source, stream.index)
        transcriber = open_transcriber()
        found = listen(sound, transcriber, span, listening, pieces=pieces, progress=progress)
    return Heard(found, notes)


@dataclass(frozen=True, slots=True)
class HearingCost:
    """What hearing would take.

    Attributes:
        name: Of what hears.
        second_s: Wall seconds of one second of sound.
        kept_s: Seconds that an earlier run has heard.
        notes: What a reader should know.
    """

    name: str
    second_s: float
    kept_s: Fraction
    notes: tuple[str, ...]


def foresee_hearing(
    source: Footage, span: Span, listening: Listening, transcriber: Transcriber, *, keeps: bool
) -> HearingCost:
    """Measure what hearing would take, on half a minute of it in which somebody speaks.

    Args:
        source: The opened video; it has audio.
        span: On its clock.
        listening: How to hear.
        transcriber: Hears.
        keeps: Whether what earlier runs heard counts as done.

    Raises:
        VidcliError: The sound cannot be decoded, or not be heard.
    """
    from vidcli.library.segments import SegmentStore
    from vidcli.methods.listening import count_kept

    stream, note = choose_stream(source, listening.language)
    assert stream is not None, "the caller has looked"
    kept = Fraction(0)
    if keeps:
        with SegmentStore(settings.state_dir()) as store:
            pieces = store.of(f"{source.fingerprint}#{stream.index}")
            kept = count_kept(transcriber, span, listening, pieces=pieces)
    notes, sound, length = [note] if note else [], Sound(source, stream.index), Fraction(0)
    spent, voice = 0.0, Fraction(0)
    for share in PROBES:
        start = span.start + max(Fraction(0), span.length - PROBE_S) * share
        part = Span(start, min(start + PROBE_S, span.end))
        started = time.perf_counter()
        voice = transcriber.hear(sound.read(part), listening, is_last=True).voice
        spent, length = time.perf_counter() - started, part.length
        if voice:
            break
    if not voice:
        notes.append("nobody speaks where it was listened to: where somebody does, it takes longer")
    return HearingCost(transcriber.name, spent / float(length), kept, tuple(notes))


def hear_all(source: Footage, *, progress: Progress | None = None) -> Heard:
    """Write down what is said in a whole video, with the largest model that is installed."""
    from vidcli.media.plan import choose_span

    return hear_video(
        source, choose_span(source.info), Listening(), whisper_opener(None), progress=progress
    )


def whisper_opener(named: str | None, *, threads: int = 0) -> Callable[[], Transcriber]:
    """What loads a Whisper model, once.

    Args:
        named: As `find_whisper` reads it.
        threads: Of the processor; 0 takes the free cores.
    """

    @cache
    def open_transcriber() -> Transcriber:
        from vidcli.models.hardware import count_free_cores
        from vidcli.tools.whisper import WhisperTranscriber, require_whisper

        require_whisper()
        files = find_whisper(named)
        return WhisperTranscriber(
            files.folder,
            name=files.name,
            digest=files.digest,
            threads=threads or count_free_cores(),
        )

    return open_transcriber


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
