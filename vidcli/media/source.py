"""Opening a video safely: local regular files only, and no format that opens other files.

`open_source` looks at the file itself first, so that what is wrong is said in the user's words;
FFmpeg then gets an explicit `file:` address, the protocols and formats it may use, nothing more.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import av
from av.container import InputContainer

from vidcli.errors import MediaError
from vidcli.media.libav import translated

SNIFF_BYTES = 4096

_NAMES = """
    mov mp4 m4a 3gp 3g2 mj2 matroska webm avi mpegts mpeg mpegvideo m4v flv live_flv kux asf asf_o
    ogg gif apng ivf nut mxf gxf lxf wtv rm swf dv yuv4mpegpipe smk bink roq film_cpk wc3movie ea
    vmd idcin flic cdxl anm nsv nuv pva psxstr rpl thp ty vivo xmv tmv mm dxa dhav mlv jv hnm iv8
    lvf bfi bethsoftvid c93 dsicin ipmovie siff smush sga usm vividas vc1test ipu moflex mtv mv mvi
    yop gdv ifv cine 3dostr 4xm pdv
    h264 hevc vvc h261 h263 mjpeg mjpeg_2000 obu evc vc1 dirac dnxhd cavsvideo avs2 avs3 apv
    jpeg_pipe png_pipe bmp_pipe webp_pipe tiff_pipe gif_pipe jpegxl_pipe jpegxl_anim jpegls_pipe
    j2k_pipe exr_pipe hdr_pipe pgm_pipe ppm_pipe pbm_pipe pam_pipe pfm_pipe qoi_pipe psd_pipe
    sgi_pipe sunrast_pipe dds_pipe dpx_pipe pcx_pipe ico
    mp3 wav w64 flac aac ac3 eac3 ac4 dts aiff au amr caf ape wv tta tak mpc mpc8 oma truehd mlp
    loas voc dsf
"""
CONTAINERS = frozenset(_NAMES.split())
"""Formats that hold their pictures themselves. FFmpeg knows others that name files or addresses to
open in turn (hls, dash, concat, imf, sdp, image2 and kin); a format not named here is refused."""

_PICTURE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jls", ".j2k", ".jp2", ".jxl", ".png", ".bmp", ".tif", ".tiff"),
    *(".tga", ".exr", ".hdr", ".dds", ".dpx", ".pcx", ".psd", ".qoi", ".sgi"),
    *(".pam", ".pbm", ".pfm", ".pgm", ".ppm"),
)

_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(sorted(CONTAINERS)),
    "enable_drefs": "0",  # a QuickTime file may name another one that holds its pictures
}

_DOCUMENTS = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x7fELF": "a program",
    b"SQLite format 3": "a database",
    b"GGUF": "a GGUF model",
}

_PLAYLISTS = {
    "#EXTM3U": "an HLS or M3U playlist",
    "ffconcat": "an FFmpeg concat script",
    "[playlist]": "a PLS playlist",
    "v=0": "a network session description (SDP)",
    ";FFMETADATA": "an FFmpeg metadata file",
    "<smil": "a SMIL playlist",
    "<MPD": "a DASH manifest",
    "CompositionPlaylist": "an IMF playlist",
    "file ": "an FFmpeg concat script",
}

_PLAYLIST_HINT = "vidcli opens no file that another one names; name the video files themselves"


@contextmanager
def open_source(path: str) -> Iterator[InputContainer]:
    """Open a video file for reading, and close it after the block.

    Args:
        path: As the user gave it; any name the system allows.

    Raises:
        MediaError: It is no regular file, is empty, is text or a playlist, or FFmpeg
            cannot open it.
    """
    check_source(path)
    with address_of(path) as address:
        with translated(path):
            container = av.open(address, options=dict(_OPTIONS), metadata_errors="replace")
        with container:
            yield container


@contextmanager
def address_of(path: str) -> Iterator[str]:
    """The address FFmpeg gets for `path`: never an option, a protocol or a pattern.

    FFmpeg takes `%03d` in a name for the numbers of an image sequence, and a name that ends like a
    picture's for one member of a sequence, and cannot be told not to. Such a file is opened under
    another name, which exists inside the block.
    """
    suffix = os.path.splitext(path)[1]
    is_picture = suffix.lower() in _PICTURE_SUFFIXES
    if "%" not in path and not is_picture:
        yield f"file:{path}"
        return
    with tempfile.TemporaryDirectory(prefix="vidcli-") as directory:
        alias = os.path.join(directory, "video" + ("" if is_picture else suffix.replace("%", "")))
        os.symlink(os.path.abspath(path), alias)
        yield f"file:{alias}"


def check_source(path: str) -> None:
    """Refuse what is plainly no video, saying what it is instead.

    Raises:
        MediaError: See `open_source`.
    """
    try:
        _check_kind(path)
        with open(path, "rb") as file:
            head = file.read(SNIFF_BYTES)
            _check_content(path, head)
            if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free", b"skip"):
                _check_index(path, file)
    except FileNotFoundError as error:
        raise MediaError(f"{path} does not exist") from error
    except PermissionError as error:
        raise MediaError(
            f"{path} may not be read by you",
            hint=f"'ls -l {path}' shows who may",
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise MediaError(f"{path} cannot be read: {_reason(error)}") from error


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _check_kind(path: str) -> None:
    mode = os.stat(path).st_mode
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise MediaError(f"{path} is a directory", hint="name the video files in it")
    kind = "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
    raise MediaError(
        f"{path} is {kind}, not a file; videos are read out of order",
        hint="write it to a file first",
    )


def _check_content(path: str, head: bytes) -> None:
    if not head:
        raise MediaError(f"{path} is an empty file (0 bytes)")
    for magic, kind in _DOCUMENTS.items():
        if head.startswith(magic):
            raise MediaError(f"{path} is {kind}, not a video")
    text = _as_text(head)
    if text is None or text.startswith("YUV4MPEG2"):
        return
    start = text.lstrip("\ufeff \t\r\n")
    for sign, kind in _PLAYLISTS.items():
        if start.startswith(sign) or (sign[0] == "<" and sign in start) or f":{sign}" in start:
            raise MediaError(f"{path} is {kind}, not a video", hint=_PLAYLIST_HINT)
    raise MediaError(f"{path} is text, not a video")


def _as_text(head: bytes) -> str | None:
    """The file's beginning as text; None where it holds what no text holds."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or len(head) < SNIFF_BYTES:
            return None
        text = head[: error.start].decode("utf-8")
    odd = sum(not letter.isprintable() and letter not in "\t\r\n\f\ufeff" for letter in text)
    return None if odd else text


def _check_index(path: str, file: BinaryIO) -> None:
    """Refuse an MP4 or MOV whose index (the box `moov`) was never written."""
    size = os.fstat(file.fileno()).st_size
    offset = 0
    seen: set[bytes] = set()
    while offset + 8 <= size and len(seen) < 64:
        file.seek(offset)
        header = file.read(16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1 and len(header) == 16:
            length = int.from_bytes(header[8:], "big")
        if kind in (b"moov", b"moof", b"meta"):
            return
        seen.add(kind)
        if length < 8:  # 0: to the end of the file; less is damage, which FFmpeg may yet mend
            break
        offset += length
    if b"mdat" in seen or b"ftyp" in seen:
        raise MediaError(
            f"{path} is an incomplete download or recording: it has no index (the box 'moov')",
            hint="copy or download it again",
        )
