"""What is compared with what, each in child processes of its own, back to back.

Costs are CPU seconds of whole processes, start-up and model load included, unless a row says
otherwise; the ratio is the baseline's over ours, so that more is better.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidcli.bench.children import Cost, median_cost, run_python
from vidcli.core.media import Frame
from vidcli.media.clips import draw_clip, loop_clip
from vidcli.media.plan import choose_span, plan_uniform
from vidcli.media.video import open_video
from vidcli.media.worker import DecoderWorker

QUESTION = "What happens?"
OTHER_QUESTION = "Who is in the picture?"
SAMPLED_FRAMES = 16  # of the decode row
DRAWN_S, DRAWN_SIZE = 60, (1280, 720)


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    Attributes:
        name: What was done.
        ours: Our figure.
        baseline: The other figure.
        unit: Of both: `CPU s`, `s`, `MiB`, `%`.
        ratio: How many times cheaper ours is; None where the figures are no costs to divide.
        note: Tokens, encodes, what the baseline is.
    """

    name: str
    ours: float
    baseline: float
    unit: str
    ratio: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Setup:
    """What to measure with.

    Attributes:
        weights: Language model GGUF.
        mmproj: Projector GGUF.
        clip: A video; short, since the stock path encodes a dozen tiles a frame.
        threads: Processor threads of every model.
        runs: Runs of each side, of which the median counts.
        long_s: Length of the long clip.
        long_source: What the long clip repeats; None draws a minute of 720p.
    """

    weights: Path
    mmproj: Path
    clip: Path
    threads: int
    runs: int
    long_s: int
    long_source: Path | None = None


def run_all(setup: Setup, frame_counts: Sequence[int], *, stock: bool) -> Iterator[Row]:
    """Every comparison, one row each as it is finished.

    Args:
        setup: What to measure with.
        frame_counts: Frames of the first-token rows.
        stock: Whether to run llama.cpp's own path too, which takes most of the time.
    """
    with tempfile.TemporaryDirectory(prefix="vidcli-bench-") as folder:
        scratch = Path(folder)
        for n in frame_counts if stock else ():
            yield compare_first_token(setup, n, scratch)
        yield compare_second_question(setup, max(frame_counts), scratch)
        yield measure_overhead(setup, max(frame_counts), scratch)
        source = setup.long_source or draw_clip(scratch / "drawn.mp4", DRAWN_S, DRAWN_SIZE)
        long_clip = loop_clip(source, scratch / f"long{source.suffix}", setup.long_s)
        yield compare_decoding(setup, long_clip, scratch)
        yield compare_memory(setup, long_clip, scratch)


def _ask(setup: Setup, clip: Path, n: int, question: str, cache: Path, *flags: str) -> Cost:
    arguments = [
        "ask",
        str(clip),
        question,
        *("--model", str(setup.weights), "--mmproj", str(setup.mmproj)),
        *("--frames", str(n), "--threads", str(setup.threads), "--max-tokens", "1"),
        "--json",
        *flags,
    ]
    return run_python(
        "vidcli",
        arguments,
        environment={"VIDCLI_CACHE_DIR": str(cache), "VIDCLI_CONFIG_DIR": os.devnull},
    )


def compare_first_token(setup: Setup, n: int, scratch: Path) -> Row:
    """Cost to the first token against mtmd's default tiles and one prompt, no cache either side."""
    pictures = scratch / f"frames-{n}.npy"
    np.save(pictures, _decode(setup.clip, n))
    derived = scratch / "derived"
    _ask(setup, setup.clip, 1, QUESTION, derived, "--no-cache")  # derive and hash files once
    ours, theirs = [], []
    for _ in range(setup.runs):
        ours.append(_ask(setup, setup.clip, n, QUESTION, derived, "--no-cache"))
        files = (str(setup.weights), str(setup.mmproj))
        theirs.append(
            run_python("vidcli.engine.stock", [*files, str(pictures), str(setup.threads)])
        )
    mine, stock = median_cost(ours), median_cost(theirs)
    usage, run = mine.document["usage"], stock.document
    return Row(
        name=f"first token, {n} frame{'s' if n > 1 else ''}",
        ours=mine.cpu_s,
        baseline=stock.cpu_s,
        unit="CPU s",
        ratio=stock.cpu_s / mine.cpu_s,
        note=f"{usage['visual_tokens']} visual tokens in {n} encodes, "
        f"against {run['visual_tokens']} in {run['encodes']} by mtmd's default tiles",
    )


def compare_second_question(setup: Setup, n: int, scratch: Path) -> Row:
    """A second question in a new process against the first, model load aside, wall seconds."""
    first, second = [], []
    for i in range(setup.runs):
        cache = scratch / f"cache-{i}"
        first.append(_ask(setup, setup.clip, n, QUESTION, cache))
        second.append(_ask(setup, setup.clip, n, OTHER_QUESTION, cache))
    times = [median_cost(costs).document["timings_s"] for costs in (first, second)]
    ours, baseline = times[1]["total"] - times[1]["load"], times[0]["total"] - times[0]["load"]
    return Row(
        name=f"second question, {n} frames",
        ours=ours,
        baseline=baseline,
        unit="s",
        ratio=baseline / ours,
        note=f"{100 * ours / baseline:.1f} % of the first question, each in a new process, "
        "model load aside",
    )


def measure_overhead(setup: Setup, n: int, scratch: Path) -> Row:
    """What vidcli itself takes beside llama.cpp's encode and decode and the wait for frames."""
    cost = _ask(setup, setup.clip, n, QUESTION, scratch / "derived", "--no-cache")
    times = cost.document["timings_s"]
    work = times["total"] - times["load"]
    own = max(0.0, work - times["native"] - times["decode"])
    return Row(
        name=f"vidcli's own share, {n} frames",
        ours=own,
        baseline=work,
        unit="s",
        ratio=None,
        note=f"{100 * own / work:.1f} % beside native encode, prefill and decode",
    )


def compare_decoding(setup: Setup, long_clip: Path, scratch: Path) -> Row:
    """Frames of a long file against OpenCV reading every frame of it."""
    ours, theirs = [], []
    for i in range(setup.runs):
        folder = str(scratch / f"frames-out-{i}")
        sampling = ["--frames", str(SAMPLED_FRAMES), "--size", "512"]
        ours.append(run_python("vidcli", ["frames", str(long_clip), "-o", folder, *sampling]))
        theirs.append(run_python("vidcli.media.baseline", [str(long_clip), str(SAMPLED_FRAMES)]))
    mine, loop = median_cost(ours), median_cost(theirs)
    return Row(
        name=f"{SAMPLED_FRAMES} frames of {setup.long_s // 60} min"
        + ("" if setup.long_source else " of 720p"),
        ours=mine.cpu_s,
        baseline=loop.cpu_s,
        unit="CPU s",
        ratio=loop.cpu_s / mine.cpu_s,
        note="against an OpenCV loop that reads every frame",
    )


def compare_memory(setup: Setup, long_clip: Path, scratch: Path) -> Row:
    """Peak memory of an answer about a long clip against the same about a short one."""
    n = min(SAMPLED_FRAMES, 4)
    short = _ask(setup, setup.clip, n, QUESTION, scratch / "derived", "--no-cache")
    long = _ask(setup, long_clip, n, QUESTION, scratch / "derived", "--no-cache")
    return Row(
        name=f"peak memory, {setup.long_s // 60} min and the short clip",
        ours=long.peak_bytes / 2**20,
        baseline=short.peak_bytes / 2**20,
        unit="MiB",
        ratio=None,
        note=f"{n} frames each, largest process",
    )


def _decode(clip: Path, n: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """`n` frames at the displayed size, uint8 (n, height, width, 3)."""
    with DecoderWorker() as worker:
        video = open_video(str(clip), worker)
        span = choose_span(video.info)
        plan = plan_uniform(video.info, span, budget=n)
        frames: list[Frame] = list(video.frames(plan, size=None))
    return np.stack([frame.image for frame in frames])
