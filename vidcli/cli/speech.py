"""Where the words of a video are written down: beside it, inside it, or in a file that is named.

A file that a run wrote (captions as `talk.srt`) is a result and no source.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.cli.footage import Footage
from vidcli.core.protocols import Progress
from vidcli.core.speech import Heard as Heard
from vidcli.core.speech import SpeechKind, Transcript
from vidcli.errors import MediaError, UsageError
from vidcli.settings import state_dir

if TYPE_CHECKING:
    from vidcli.core.media import SubtitleStream
    from vidcli.core.speech import Cue
    from vidcli.media.subtitles import Sidecar

AUTO, NONE, WHISPER = "auto", "none", "whisper"


def find_speech(source: Footage, choice: str, *, progress: Progress | None = None) -> Heard:
    """Read the subtitles of a video: the best file beside it, else the best stream inside it.

    Args:
        source: The opened video.
        choice: `auto`, `none`, `whisper` to hear the sound instead, or a subtitle file.
        progress: Told before a stream is read, which takes reading the file, and of hearing.

    Raises:
        MediaError: The file that was named cannot be read.
        ModelError: There is no Whisper model to hear with.
        SetupError: The extra 'speech' is not installed.
    """
    if choice == NONE:
        return Heard(None)
    if choice == WHISPER:
        from vidcli.cli.hearing import hear_all

        return hear_all(source, progress=progress)
    if choice != AUTO:
        return Heard(_read_file(source, choice, SpeechKind.FILE, None))
    beside = read_sidecars(source)
    if beside.transcript is not None:
        return beside
    inside = read_streams(source, progress=progress)
    return Heard(inside.transcript, (*beside.notes, *inside.notes))


def read_sidecars(source: Footage) -> Heard:
    """Read the best subtitle file beside a video that holds words."""
    notes: list[str] = []
    for sidecar in _sidecars(source.info.path):
        try:
            transcript = _read_file(source, sidecar.path, SpeechKind.SIDECAR, sidecar.language)
        except MediaError as error:
            notes.append(f"{error}: not used")
            continue
        if transcript.cues:
            return Heard(transcript, tuple(notes))
        notes.append(f"{sidecar.path} holds no words: not used")
    return Heard(None, tuple(notes))


def read_streams(source: Footage, *, progress: Progress | None = None) -> Heard:
    """Read the best subtitle stream inside a video that holds words.

    Args:
        source: The opened video.
        progress: Told before a stream is read, which takes reading the file.
    """
    notes: list[str] = []
    for stream in _streams(source):
        if progress is not None:
            progress("read subtitles", 0, 0)
        try:
            cues = source.worker.call("subtitle_stream", source.info.path, index=stream.index)
        except MediaError as error:
            notes.append(f"{error}: subtitles #{stream.index} are not used")
            continue
        if cues:
            name = f"#{stream.index} {stream.codec}"
            transcript = Transcript(SpeechKind.STREAM, name, stream.language, cues)
            return Heard(transcript, tuple(notes))
    return Heard(None, tuple(notes))


def digest_speech(path: str, choice: str) -> str:
    """Names what speech comes from besides the video: files beside it, or a listener."""
    if choice == NONE:
        return ""
    if choice == WHISPER:
        from vidcli.cli.hearing import find_whisper

        return find_whisper(None).name
    if choice != AUTO:
        return _digest_of(choice)
    found = [(sidecar.tail, _digest_of(sidecar.path)) for sidecar in _sidecars(path)]
    return hashlib.sha256(repr(found).encode()).hexdigest()[:32] if found else ""


def _read_file(source: Footage, path: str, kind: SpeechKind, language: str | None) -> Transcript:
    cues: tuple[Cue, ...]
    cues, charset = source.worker.call("subtitle_file", path, language=language)
    name = os.path.basename(path)
    notes = (f"{name} is not UTF-8: read as {charset}",) if charset else ()
    return Transcript(kind, name, language, cues, notes)


def _sidecars(path: str) -> "Iterator[Sidecar]":
    from vidcli.media.subtitles import find_sidecars

    return (sidecar for sidecar in find_sidecars(path) if not _is_result(sidecar.path))


def _streams(source: Footage) -> "list[SubtitleStream]":
    """Text streams, English first, then as they lie in the file."""
    from vidcli.media.subtitles import is_english

    streams = [stream for stream in source.info.subtitles if stream.is_text]
    return sorted(streams, key=lambda stream: not is_english(stream.language or ""))


def _is_result(path: str) -> bool:
    """Whether a run wrote the file as it is."""
    from vidcli.library.journal import find_written

    folder, name = os.path.split(os.path.abspath(path))
    written = find_written(state_dir(), str(Path(os.path.realpath(folder), name)))
    return written is not None and written == _digest_of(path)


def _digest_of(path: str) -> str:
    """Digest of a file's content; empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError:
        return ""


def check_subtitles(subtitles: str, *, many: bool) -> str:
    """The words `auto`, `none` and `whisper`, or a file that is there.

    Raises:
        UsageError: It is none of them, or one file for several videos.
    """
    if subtitles in (AUTO, NONE, WHISPER):
        return subtitles
    if not os.path.isfile(subtitles):
        raise UsageError(
            f"--subtitles {subtitles}: there is no such file",
            hint="write auto, none, whisper or a file",
        )
    if many:
        raise UsageError(
            "--subtitles FILE is about one video",
            hint="files beside the videos are found by their names",
        )
    return subtitles
