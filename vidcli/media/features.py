"""What the FFmpeg libraries, the ffmpeg program and OpenCV on this machine can do, as plain values.

Every library is imported by the function that asks it, so that one that is broken hides no other.
"""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any

DECODERS = ("h264", "hevc", "vp9", "av1")
PROGRAM_LISTS = {
    "decoders": (*DECODERS, "libdav1d"),
    "encoders": ("libx264",),
    "filters": ("zscale", "tonemap"),
}
OPENCV_VARIANTS = (
    "opencv-python-headless",
    "opencv-python",
    "opencv-contrib-python-headless",
    "opencv-contrib-python",
)
TIMEOUT_S = 20


def describe_libav() -> dict[str, Any]:
    """Versions of PyAV and of FFmpeg's libraries in it, and which decoders they have.

    Raises:
        ImportError: PyAV is not installed, or cannot be loaded.
    """
    import av
    from av.codec import codecs_available

    libraries = {name: ".".join(map(str, numbers)) for name, numbers in av.library_versions.items()}
    return {
        "version": av.__version__,
        "ffmpeg": av.ffmpeg_version_info,
        "libraries": libraries,
        "decoders": [name for name in DECODERS if _can_decode(name)],
        "codecs": len(codecs_available),
    }


def _can_decode(name: str) -> bool:
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    try:
        Codec(name, "r")
    except UnknownCodecError:
        return False
    return True


def describe_opencv() -> dict[str, Any]:
    """Version of OpenCV, and which of its packages are installed.

    Raises:
        ImportError: It is not installed, or needs a system library that is missing.
    """
    packages = list_opencv()
    import cv2

    return {"version": cv2.__version__, "packages": packages, "threads": cv2.getNumThreads()}


def list_opencv() -> list[str]:
    """The packages of OpenCV that are installed; all of them write the same files."""
    found = []
    for name in OPENCV_VARIANTS:
        try:
            version(name)
        except PackageNotFoundError:
            continue
        found.append(name)
    return found


def describe_program(path: str) -> dict[str, Any]:
    """Version of an ffmpeg program, and which of the features that matter it has.

    Raises:
        OSError: It cannot be run.
        subprocess.SubprocessError: It fails, or does not end.
    """
    words = _run(path, "-version").split()
    facts: dict[str, Any] = {
        "path": path,
        "version": words[2] if words[:2] == ["ffmpeg", "version"] else "unknown",
    }
    for kind, wanted in PROGRAM_LISTS.items():
        rows = (line.split() for line in _run(path, f"-{kind}").splitlines())
        names = {words[1] for words in rows if len(words) > 1}
        facts[kind] = [name for name in wanted if name in names]
    return facts


def _run(path: str, flag: str) -> str:
    return subprocess.run(
        [path, "-nostdin", "-hide_banner", flag],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=TIMEOUT_S,
        check=True,
    ).stdout.decode("utf-8", "replace")
