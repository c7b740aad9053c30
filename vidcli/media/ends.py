"""Where the pictures of a file really end, whatever its header claims.

A cut-off download still has the header of the whole. Reading the last packets, without decoding
them, tells the two apart in milliseconds; only a file that names no duration is read through.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import av.error
from av.container import InputContainer

from vidcli.media.libav import read_packets, to_fraction
from vidcli.media.pictures import Pictures
from vidcli.media.recording import Recording
from vidcli.media.streams import claimed_duration

TAIL_S = 2  # read before the claimed end; four times as much while that holds no packet
SCAN_MAX_BYTES = 8 * 1024**3  # a larger file without a duration is not read through to find it
SHORTFALL_S = Fraction(1, 4)  # a file this much shorter than it claims is cut off
BARE = frozenset({"mp3", "aac", "ac3", "eac3", "ac4", "dts", "amr", "loas", "mlp", "truehd"})
COUNTED_RATE = Fraction(25)  # pictures a second where nothing at all tells, FFmpeg's own guess


@dataclass(frozen=True, slots=True)
class Ends:
    """Seconds from the first picture to where the last one ends, and what is odd about it."""

    duration: Fraction | None
    warnings: tuple[str, ...] = ()


def find_sound_end(recording: Recording) -> Ends:
    """Tell where the sound of an open file without pictures ends. Leaves the container anywhere.

    What a format without a header says of its length is FFmpeg's guess from the bit rate: such a
    file is read through.
    """
    if recording.container.format.name not in BARE:
        return find_end(recording)
    return Ends(_read_through(recording) if _is_affordable(recording) else None)


def find_end(pictures: Pictures | Recording) -> Ends:
    """Tell where the pictures of an open file end. Leaves the container anywhere.

    Returns:
        A duration; None where only reading a very large file through would tell.
    """
    if isinstance(pictures, Pictures) and pictures.origin is None:
        return _count_through(pictures)
    claimed = claimed_duration(pictures.stream)
    if claimed is None:
        return Ends(_read_through(pictures) if _is_affordable(pictures) else None)
    reached = _last_reached(pictures, claimed)
    seen = reached.get(pictures.stream.index)
    if seen is None or max(reached.values()) > claimed - SHORTFALL_S:
        has_own = pictures.stream.duration is not None and pictures.stream.duration > 0
        return Ends(claimed if has_own or seen is None else min(seen, claimed))
    return Ends(seen, (f"file ends at {float(seen):.1f} s of {float(claimed):.1f} s",))


def counted_rate(pictures: Pictures) -> Fraction:
    """Pictures a second of a stream without times: what the codec says, else 25."""
    context = pictures.stream.codec_context
    return to_fraction(context.framerate) or COUNTED_RATE


def _count_through(pictures: Pictures) -> Ends:
    rate = counted_rate(pictures)
    warning = f"the file carries no times; its pictures are counted at {float(rate):g} a second"
    if not _is_affordable(pictures):
        return Ends(None, (warning,))
    packets = read_packets(pictures.container, pictures.stream)
    return Ends(sum(packet is not None for packet in packets) / rate, (warning,))


def _is_affordable(pictures: Pictures | Recording) -> bool:
    return os.stat(pictures.path).st_size <= SCAN_MAX_BYTES


def _last_reached(pictures: Pictures | Recording, claimed: Fraction) -> dict[int, Fraction]:
    """Seconds from the origin that each stream reaches, by its index, read from the tail."""
    assert pictures.origin is not None
    before = Fraction(TAIL_S)
    while before < claimed:
        target = pictures.origin + int((claimed - before) / pictures.time_base)
        with suppress(av.error.FFmpegError):
            pictures.container.seek(target, stream=pictures.stream)
            reached = _reached_from_here(pictures.container, pictures)
            if pictures.stream.index in reached:
                return reached
        before *= 4
    return _reached_from_start(pictures)


def _read_through(pictures: Pictures | Recording) -> Fraction | None:
    return _reached_from_start(pictures).get(pictures.stream.index)


def _reached_from_start(pictures: Pictures | Recording) -> dict[int, Fraction]:
    assert pictures.origin is not None
    with suppress(av.error.FFmpegError):  # what cannot seek stands near its start already
        pictures.container.seek(pictures.origin, stream=pictures.stream)
    return _reached_from_here(pictures.container, pictures)


def _reached_from_here(
    container: InputContainer, pictures: Pictures | Recording
) -> dict[int, Fraction]:
    assert pictures.origin is not None
    start = pictures.origin * pictures.time_base
    reached: dict[int, Fraction] = {}
    for index, end in _packet_ends(container):
        reached[index] = max(end - start, reached.get(index, Fraction(0)))
    return reached


def _packet_ends(container: InputContainer) -> Iterator[tuple[int, Fraction]]:
    """(stream index, seconds) at which each whole packet stops being shown or heard."""
    playable = [stream for stream in container.streams if stream.type in ("video", "audio")]
    for packet in read_packets(container, *playable):
        if packet is None or packet.is_corrupt or packet.time_base is None:
            continue
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            yield packet.stream_index, (time + (packet.duration or 0)) * packet.time_base
