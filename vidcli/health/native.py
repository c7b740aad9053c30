"""llama.cpp, FFmpeg and OpenCV: are they there, what can they do, what do they leave unused."""

import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import requires
from typing import Any

from vidcli.core.findings import Finding, Level
from vidcli.core.units import format_size
from vidcli.health.child import ENGINE, LIBAV, OPENCV, LibraryError, ask_library
from vidcli.models.hardware import read_cpu

LLAMA = "llama-cpp-python"
REBUILD = 'CMAKE_ARGS="{}" pip install --force-reinstall --no-cache-dir --no-binary {} {}'
COMPLETE = "pip install --upgrade vidcli"  # brings packages that are missing
AGAIN = "pip install --force-reinstall {}"


def check_engine() -> Iterator[Finding]:
    """The build of llama.cpp, against the processor and the graphics cards."""
    from vidcli.engine.build import lacking_flags

    cpu = read_cpu()
    try:
        facts = ask_library(ENGINE)
    except LibraryError as error:
        others = error.missing not in ("", "llama_cpp")
        remedy = COMPLETE if others else _rebuild("-DGGML_NATIVE=on")
        yield Finding("llama-build", Level.PROBLEM, f"llama.cpp cannot be used: {error}", remedy)
        return
    features = set(facts["features"])
    yield Finding(
        "llama-build",
        Level.OK,
        f"llama-cpp-python {facts['version']}, compiled with {', '.join(sorted(features))}",
        facts=facts,
    )
    lacking = lacking_flags(features, cpu.flags) if platform.system() == "Linux" else []
    if lacking:
        yield Finding(
            "llama-lacking",
            Level.PROBLEM,
            f"it was compiled for {', '.join(lacking)}, which {cpu.name} does not have",
            _rebuild("-DGGML_NATIVE=on"),
            {"features": lacking},
        )
    yield from _check_unused(features)
    yield from _check_gpus(facts)


def _rebuild(option: str) -> str:
    """The command that compiles llama.cpp anew, in the version that this vidcli wants."""
    needed = (line for line in requires("vidcli") or () if line.startswith(LLAMA))
    return REBUILD.format(option, LLAMA, next(needed, LLAMA))


def _check_unused(features: set[str]) -> Iterator[Finding]:
    from vidcli.engine.build import BASIC, unused_flags

    cpu = read_cpu()
    unused = unused_flags(features, cpu.flags)
    if not unused:
        text = f"{cpu.name}: every instruction set of it that llama.cpp knows is used"
        yield Finding("llama-unused", Level.OK, text, facts={"features": []})
        return
    level = Level.WARNING if BASIC & {*unused} or "AVX512_BF16" in unused else Level.NOTE
    yield Finding(
        "llama-unused",
        level,
        f"{cpu.name} has {', '.join(unused)}, which this build does not use",
        _rebuild("-DGGML_NATIVE=on"),
        {"features": unused},
    )


def _check_gpus(facts: dict[str, Any]) -> Iterator[Finding]:
    for gpu in facts["gpus"]:
        free, total = format_size(gpu["free_bytes"]), format_size(gpu["total_bytes"])
        text = f"{gpu['name']}: {gpu['description']}, {free} of {total} free"
        yield Finding("gpu", Level.OK, text, facts=gpu)
    if facts["gpus"]:
        return
    if facts["gpu_backend"]:
        text = "llama.cpp was compiled for a graphics card, and finds none"
        yield Finding(
            "gpu", Level.WARNING, text, "see that its driver works: nvidia-smi, vulkaninfo"
        )
        return
    backend = _find_backend()
    if backend:
        yield Finding(
            "gpu",
            Level.WARNING,
            f"there is a graphics card for {backend}, and this build of llama.cpp cannot use it",
            _rebuild(f"-DGGML_{backend.upper()}=on"),
        )
    else:
        yield Finding("gpu", Level.OK, "no graphics card: the processor does all the work")


def _find_backend() -> str:
    """The backend of llama.cpp that this machine asks for; empty for none."""
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "Metal"
    if shutil.which("nvidia-smi") is None:
        return ""
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return "CUDA" if done.returncode == 0 and done.stdout.strip() else ""


def check_libav() -> Iterator[Finding]:
    """PyAV: FFmpeg's libraries, which decode every video."""
    from vidcli.media.features import DECODERS

    try:
        facts = ask_library(LIBAV)
    except LibraryError as error:
        text = f"PyAV cannot be used, and without it no video can be read: {error}"
        remedy = COMPLETE if error.missing not in ("", "av") else AGAIN.format("av")
        yield Finding("libav", Level.PROBLEM, text, remedy)
        return
    text = f"PyAV {facts['version']} with FFmpeg {facts['ffmpeg']}: {', '.join(facts['decoders'])}"
    yield Finding("libav", Level.OK, text, facts=facts)
    missing = [name for name in DECODERS if name not in facts["decoders"]]
    if missing:
        text = f"PyAV has no decoder for {', '.join(missing)}: the ffmpeg program decodes these"
        yield Finding("libav-decoders", Level.WARNING, text, AGAIN.format("--only-binary av av"))


def check_decoding(clip: str) -> Iterator[Finding]:
    """Decode a picture of a video, in the process that does it for every command.

    Raises:
        VidcliError: It cannot be decoded.
    """
    from vidcli import settings
    from vidcli.core.time import Span
    from vidcli.media.plan import plan_uniform
    from vidcli.media.video import open_video
    from vidcli.media.worker import DecoderWorker

    with DecoderWorker(**settings.decode_limits()) as worker:
        video = open_video(clip, worker)
        duration = video.info.duration
        assert duration is not None, "the clip of the package says how long it is"
        plan = plan_uniform(video.info, Span(duration * 0, duration), budget=1)
        frames = list(video.frames(plan))
    height, width, _ = frames[0].image.shape
    text = f"a picture of {width}×{height} was decoded in a process of its own"
    yield Finding("decoding", Level.OK, text)


def check_program() -> Iterator[Finding]:
    """The ffmpeg programs there are, in the order in which they are tried.

    Raises:
        SetupError: There is none.
    """
    from vidcli.media.features import DECODERS, describe_program
    from vidcli.media.ffmpeg import programs

    lacking: set[str] | None = None
    for path in programs():
        try:
            facts = describe_program(path)
        except (OSError, subprocess.SubprocessError) as error:
            text = f"{path} cannot be run: {error}"
            yield Finding("ffmpeg", Level.WARNING, text, AGAIN.format("imageio-ffmpeg"))
            continue
        has = {*facts["decoders"], *facts["encoders"], *facts["filters"]}
        here = {*DECODERS, "libx264", "zscale"} - has
        lacking = here if lacking is None else lacking & here
        without = f", without {', '.join(sorted(here))}" if here else ""
        text = f"ffmpeg {facts['version']}{without}: {path}"
        yield Finding("ffmpeg", Level.OK, text, facts=facts)
    if lacking is None:
        text = "no ffmpeg program runs"
        yield Finding("ffmpeg-features", Level.PROBLEM, text, AGAIN.format("imageio-ffmpeg"))
    elif lacking:
        text = f"no ffmpeg program has {', '.join(sorted(lacking))}"
        remedy = AGAIN.format("imageio-ffmpeg")
        yield Finding("ffmpeg-features", Level.WARNING, text, remedy, {"lacking": sorted(lacking)})


def check_opencv() -> Iterator[Finding]:
    """OpenCV, which is used for pictures and never to decode video."""
    from vidcli.media.features import list_opencv

    packages = list_opencv()
    headless = "opencv-python-headless"
    others = [name for name in packages if name != headless]
    repair = f"pip uninstall -y {' '.join(packages)} && pip install {headless}"
    try:
        facts = ask_library(OPENCV)
    except LibraryError as error:
        text = f"OpenCV cannot be used: {error}"
        remedy = repair if others else AGAIN.format(headless)
        if error.missing not in ("", "cv2"):
            remedy = COMPLETE
        yield Finding("opencv", Level.PROBLEM, text, remedy, {"packages": packages})
        return
    text = f"OpenCV {facts['version']}, for pictures only"
    yield Finding("opencv", Level.OK, text, facts=facts)
    if len(packages) > 1:
        text = f"{' and '.join(packages)} overwrite each other's files"
        yield Finding("opencv-variants", Level.WARNING, text, repair, {"packages": packages})
    elif others:
        text = f"{others[0]} needs libGL where the headless one does not"
        yield Finding("opencv-variants", Level.NOTE, text, repair, {"packages": packages})
