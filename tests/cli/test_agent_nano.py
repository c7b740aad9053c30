"""What the agent's tools mean, with the packaged model and the drawn world that it knows."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.cli.run import invoke
from vidcli.cli.asking import describe
from vidcli.cli.build import open_bench
from vidcli.cli.footage import open_videos
from vidcli.cli.groups import Loading
from vidcli.cli.terminal import Notes
from vidcli.core.results import Timings
from vidcli.core.sampling import Sampling
from vidcli.media.plan import choose_span
from vidcli.methods.agent.eyes import Eyes
from vidcli.methods.agent.seeing import Retrieve, whole


def draw_clips(folder: Path) -> list[dict[str, Any]]:
    """Eight clips of the drawn world, with the boxes of everything in them."""
    args = ("--clips", "8", "--split", "eval", "--seed", "21", "--size", "128", "--quiet")
    made = invoke("data", "synth", "--out", str(folder), *args)
    assert made.exit_code == 0, made.stderr
    return [json.loads(line) for line in (folder / "tracks.jsonl").read_text().splitlines()]


@pytest.mark.usefixtures("nano")
def test_nano_describes_what_the_agent_looks_at(tmp_path: Path):
    """The packaged model's eyes are right about the drawn world; its planning is not claimed."""
    right = 0
    for row in draw_clips(tmp_path):
        video = tmp_path / row["video"]
        made = invoke("agent", str(video), "What is there?", "--max-rounds", "1", "--json")
        calls = json.loads(made.stdout)["calls"]
        texts = " ".join(o["text"] for call in calls for o in call["observations"])
        right += any(thing["object"] in texts for thing in row["objects"])
    assert right >= 6


def test_nano_finds_the_frame_that_a_description_fits(nano: str, tmp_path: Path):
    """A1.5: retrieval by the model's own eyes finds things that are there for a part of a clip."""
    tried = right = 0
    with (
        open_bench(Loading(model=nano), notes=Notes(quiet=True)) as bench,
        open_videos() as open_video,
    ):
        for row in draw_clips(tmp_path):
            source = open_video(str(tmp_path / row["video"]))
            video, span = describe(source), choose_span(source.info)
            for thing in row["objects"]:
                shown = [n / row["fps"] for n, box in enumerate(thing["boxes"]) if box]
                if len(shown) > len(thing["boxes"]) * 0.8:
                    continue
                eyes = Eyes(
                    bench.session, source, video, Sampling(max_tokens=24),
                    lambda _size: nullcontext(), Timings(),
                )  # fmt: skip
                arguments = {"description": f"a {thing['colour']} {thing['object']}", **whole(span)}
                told = Retrieve(eyes, span)(arguments)
                at = float(told[0].frames[0].seconds)
                tried += 1
                right += min(shown) - 0.01 <= at <= max(shown) + 0.01
    assert tried >= 4
    assert right >= tried * 0.75
