"""Clips with sound of known content at known times."""

import wave
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from tests.clips import run_ffmpeg
from tests.whisper import silence, speak
from vidcli.core.sound import RATE

Floats = NDArray[np.float32]


def write_wave(path: Path, samples: Floats) -> Path:
    """A mono file of 16 bits a sample."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def make_talk(
    path: Path,
    *tracks: Floats,
    codec: str = "aac",
    delay: float = 0.0,
    options: dict[str, Any] | None = None,
) -> Path:
    """A grey picture with audio streams.

    Args:
        path: Its extension chooses the container.
        tracks: Samples of each stream, `RATE` a second.
        codec: Of the audio.
        delay: Seconds after the first picture at which the streams begin.
        options: More output options, by ffmpeg's name without the dash.
    """
    length = delay + max(len(track) for track in tracks) / RATE
    picture = ffmpeg.input(f"color=gray:s=96x64:r=10:d={length}", f="lavfi")
    waves = [
        write_wave(path.with_suffix(f".{number}.wav"), track) for number, track in enumerate(tracks)
    ]
    sounds = [ffmpeg.input(str(file), itsoffset=delay) for file in waves]
    chosen = {"c:v": "libx264", "preset": "ultrafast", "c:a": codec, "ar": 44100, "threads": 1}
    run_ffmpeg(ffmpeg.output(picture, *sounds, f"file:{path}", **(chosen | (options or {}))))
    for file in waves:
        file.unlink()
    return path


def make_recording(path: Path, samples: Floats, **options: Any) -> Path:
    """Sound alone.

    Args:
        path: Its extension chooses the container and the codec.
        samples: `RATE` a second.
        options: More output options, by ffmpeg's name without the dash.
    """
    wave = write_wave(path.with_suffix(".0.wav"), samples)
    chosen = {"ar": 44100, "threads": 1}
    run_ffmpeg(ffmpeg.output(ffmpeg.input(str(wave)), f"file:{path}", **(chosen | options)))
    wave.unlink()
    return path


def monologue(voice: str = "low") -> Floats:
    """Eight seconds in which a voice speaks from 2 to 4."""
    return np.concatenate([silence(2), speak(2, voice=voice), silence(4)])


LINES = ((2.0, 4.0, "low", "en"), (9.0, 11.0, "high", "de"))
"""Start, end, voice and language of what is said in `conversation`."""


def conversation() -> Floats:
    """Fourteen seconds in which a low voice and a high one speak, with pauses of five seconds."""
    whole = silence(14)
    for start, end, voice, _ in LINES:
        first = int(start * RATE)
        said = speak(end - start, voice=voice)
        whole[first : first + len(said)] = said
    return whole
