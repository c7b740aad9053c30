"""Subtitles as text with times: files beside a video, and streams inside it.

FFmpeg's own readers and decoders take SubRip, WebVTT, SubStation Alpha and 3GPP text; what they
give is one form, ASS, of which the markup is left out here. Files may be in any charset.

Not here: subtitles that are pictures, and speech that nobody has written down.
"""

import html
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.stream import Discard
from av.subtitles.stream import SubtitleStream

from vidcli.core.speech import Cue
from vidcli.core.time import Span
from vidcli.errors import MediaError
from vidcli.media.libav import read_packets, to_fraction, translated
from vidcli.media.pictures import open_pictures

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
ENGLISH = frozenset({"en", "eng", "english"})
FILE_BYTES_MAX = 64 * 1024**2
SHOWN_S = Fraction(3)  # how long words without a length of their own are shown

MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
WESTERN = "cp1252"
LATIN = [WESTERN, "cp1250", "cp1254", "cp1257"]
# fmt: off
CUSTOMARY = {  # charset of subtitle files before UTF-8, by language
    "ru": "cp1251", "uk": "cp1251", "bg": "cp1251", "sr": "cp1251", "be": "cp1251",
    "pl": "cp1250", "cs": "cp1250", "sk": "cp1250", "hu": "cp1250", "hr": "cp1250",
    "sl": "cp1250", "ro": "cp1250", "el": "cp1253", "tr": "cp1254", "he": "cp1255",
    "ar": "cp1256", "fa": "cp1256", "lt": "cp1257", "lv": "cp1257", "et": "cp1257",
    "vi": "cp1258", "th": "cp874", "ja": "cp932", "ko": "cp949", "zh": "gb18030",
    **dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi"), WESTERN),
}
# fmt: on

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_REMARKS = frozenset({"forced", "sdh", "cc", "hi", "default", "auto", "orig", "english"})
_TAGS = re.compile(r"\{[^}]*\}")
_DRAWING = re.compile(r"\{[^}]*\\p[1-9]")
_SPACES = re.compile(r"[^\S\n]+")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A subtitle file beside a video.

    Attributes:
        path: Of the file.
        tail: What its name has after the video's: `.en.srt`.
        language: As the name says, such as `en`; None where it does not.
        is_forced: Whether it holds only what is not in the language of the rest.
    """

    path: str
    tail: str
    language: str | None
    is_forced: bool


def find_sidecars(path: str) -> list[Sidecar]:
    """Subtitle files that belong to a video by their name, the one to prefer first.

    Beside `talk.mkv` these are `talk.srt`, `talk.en.srt`, `talk.pt-BR.forced.vtt`,
    `talk.mkv.srt`. Without a language comes before English, English before others, whole before
    forced.
    """
    folder, name = os.path.split(path)
    try:
        entries = sorted(os.listdir(folder or os.curdir))
    except OSError:
        return []
    found = [
        sidecar
        for entry in entries
        if (sidecar := _match(folder, name, entry)) is not None and os.path.isfile(sidecar.path)
    ]
    return sorted(found, key=_preference)


def _match(folder: str, name: str, entry: str) -> Sidecar | None:
    stem, suffix = os.path.splitext(entry)
    base = os.path.splitext(name)[0]
    if suffix.lower() not in SUFFIXES or not stem.startswith(base):
        return None
    rest = stem.removeprefix(name) if stem.startswith(name) else stem.removeprefix(base)
    words = rest.split(".")[1:]
    if rest and (not rest.startswith(".") or not all(map(_is_remark, words))):
        return None
    languages = [word for word in words if word.lower() not in _REMARKS - ENGLISH]
    return Sidecar(
        os.path.join(folder, entry),
        entry.removeprefix(base),
        languages[0] if languages else None,
        "forced" in (word.lower() for word in words),
    )


def _is_remark(word: str) -> bool:
    return word.lower() in _REMARKS or _LANGUAGE.fullmatch(word) is not None


def _preference(sidecar: Sidecar) -> tuple[bool, int, str, int]:
    language = (sidecar.language or "").lower()
    rank = 0 if not language else 1 if is_english(language) else 2
    suffix = os.path.splitext(sidecar.path)[1].lower()
    return sidecar.is_forced, rank, language, SUFFIXES.index(suffix)


def is_english(language: str) -> bool:
    """Whether a language tag such as `en-GB` or `eng` says English."""
    return re.split("[-_]", language.lower())[0] in ENGLISH


def read_subtitle_file(path: str, language: str | None = None) -> tuple[tuple[Cue, ...], str]:
    """Read a subtitle file.

    Args:
        path: SubRip, WebVTT or SubStation Alpha, told apart by its content.
        language: A tag such as `ru`, which helps with old charsets.

    Returns:
        Cues in order, and the charset it was read in where that had to be guessed; else empty.

    Raises:
        MediaError: It cannot be read, or is no such file.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > FILE_BYTES_MAX:
        raise MediaError(f"{path} is too large for subtitles")
    text, charset = decode_text(raw, language)
    cleaned = text.replace("\0", "").lstrip("\ufeff \t\r\n")
    if not cleaned:
        return (), ""
    with translated(path):
        stream = io.BytesIO(cleaned.encode())
        with av.open(stream, "r", format=_format_of(cleaned)) as container:
            return _read_cues(container, container.streams.subtitles[0], Fraction(0)), charset


def _format_of(text: str) -> str:
    if text.startswith("WEBVTT"):
        return "webvtt"
    return "ass" if text.startswith("[Script Info]") else "srt"


def decode_text(raw: bytes, language: str | None = None) -> tuple[str, str]:
    """Text of whatever charset, and its name where it had to be guessed.

    A byte order mark decides; else what is UTF-8 is taken for it; else the charset that the
    language was long written in, where it fits; else the likeliest.

    Args:
        raw: The whole file.
        language: A tag such as `ru`; None where it is not known.
    """
    for mark, charset in MARKS:
        if raw.startswith(mark):
            return raw.decode(charset, "replace"), ""
    customary = CUSTOMARY.get(re.split("[-_]", (language or "").lower())[0])
    for known in filter(None, ("utf-8", customary)):
        text = _decode(raw, known)
        if text is not None:
            return text, "" if known == "utf-8" else known
    from charset_normalizer import from_bytes

    # Of a short text in Latin letters it would take the few others for Chinese ones.
    matches = from_bytes(raw, cp_isolation=LATIN if _is_mostly_ascii(raw) else None)
    best = matches.best()
    likely = {match.encoding for match in matches}
    if best is not None:
        likely |= set(best.could_be_from_charset)
    if best is None or WESTERN in likely:  # it tells the charsets of Europe apart by little
        return raw.decode(WESTERN, "replace"), WESTERN
    return str(best), best.encoding


def _is_mostly_ascii(raw: bytes) -> bool:
    return 3 * sum(byte > 0x7F for byte in raw) < len(re.findall(b"[A-Za-z]", raw))


def _decode(raw: bytes, charset: str) -> str | None:
    try:
        return raw.decode(charset)
    except UnicodeDecodeError:
        return None


def read_subtitle_stream(path: str, index: int) -> tuple[Cue, ...]:
    """Read a text subtitle stream of a video; the file is read through.

    Args:
        path: The video.
        index: Number of the stream in the container.

    Returns:
        Cues in order, on the video's clock.

    Raises:
        MediaError: The file cannot be opened, or the stream not be decoded.
    """
    with open_pictures(path) as pictures, translated(path):
        container = pictures.header
        stream = container.streams[index]
        assert isinstance(stream, SubtitleStream)
        for other in container.streams:
            if other.index != index:
                other.discard = Discard.all
        if not pictures.piped:
            container.seek(0)
        return _read_cues(container, stream, (pictures.origin or 0) * pictures.time_base)


def _read_cues(
    container: InputContainer, stream: SubtitleStream, origin: Fraction
) -> tuple[Cue, ...]:
    base = to_fraction(stream.time_base) or Fraction(1, 1000)
    found: list[tuple[Fraction, Fraction | None, str]] = []
    for packet in read_packets(container, stream):
        if packet is None or packet.pts is None:
            continue
        text = "\n".join(_lines(packet))
        if text:
            length = packet.duration * base if packet.duration else None
            found.append((packet.pts * base - origin, length, text))
    found.sort(key=lambda cue: cue[0])
    nexts = [*(start for start, _, _ in found[1:]), None]
    cues = (_cue(*cue, following) for cue, following in zip(found, nexts, strict=False))
    return tuple(cue for cue in cues if cue is not None)


def _cue(
    start: Fraction, length: Fraction | None, text: str, following: Fraction | None
) -> Cue | None:
    end = start + (length or SHOWN_S)
    if length is None and following is not None and following > start:
        end = min(end, following)
    start = max(start, Fraction(0))
    return Cue(Span(start, end), text) if end > start else None


def _lines(packet: Any) -> Iterator[str]:
    """Lines of what is said, without markup."""
    try:
        decoded = packet.decode()
    except av.error.FFmpegError:  # one line that is damaged
        return
    for entry in decoded:
        raw = getattr(entry, "ass", b"")
        text = raw.decode("utf-8", "replace").split(",", 8)[-1]
        if _DRAWING.search(text):
            continue
        text = _TAGS.sub("", text).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
        for line in html.unescape(text).split("\n"):
            cleaned = _SPACES.sub(" ", line).strip()
            if cleaned:
                yield cleaned
