"""Pages with everything on them, and texts that try to be more than text."""

import math
import os
from pathlib import Path
from typing import Any

import vidcli
from vidcli.cli.footage import open_videos
from vidcli.cli.illustrating import Illustrator
from vidcli.output.progress import NoProgress
from vidcli.output.report.address import address_of
from vidcli.output.report.page import (
    Call,
    Clue,
    Curve,
    Fact,
    Mark,
    Option,
    Page,
    Still,
    Track,
    TrackKind,
)
from vidcli.output.report.render import render_page

DEMO = Path(vidcli.__file__).parent / "demo" / "ball-and-star.mp4"  # 10 s of H.264, a cut at 5 s
HOSTILE = '</script></style><img src=x onerror="window.hit=1">\'&quot;{{ 7*7 }} <!--'
SPEECH = """1
00:00:00,500 --> 00:00:03,000
Here comes the <i>ball</i> & it rolls.

2
00:00:05,200 --> 00:00:09,000
And then a star appears.
"""


def make_page(**changes: Any) -> Page:
    """A page of which every part is there."""
    times = [0.4 + n * 10 / 12 for n in range(12)]
    points = tuple(n / 4 for n in range(41))
    parts: dict[str, Any] = {
        "command": "find",
        "video": "ball-and-star.mp4",
        "start_s": 0.0,
        "end_s": 10.0,
        "title": "When does a star appear in the middle of the picture?",
        "answer": "A yellow star comes in at five seconds and stays.",
        "stills": tuple(Still(time, "uniform", text="A ball rolls.") for time in times),
        "curve": Curve(
            "Probability of yes", points, tuple(0.5 + 0.4 * math.tanh(t - 5) for t in points), 0.5
        ),
        "clues": (Clue(5.0, 9.96, "A star is there", "0.93"), Clue(0.8, 2.5, "It rolls", "0.12")),
        "options": (Option("yes", 0.93), Option("no", 0.07)),
        "tracks": (
            Track(TrackKind.CHAPTERS, "Chapters", (Mark(0, 5, "The ball"), Mark(5, 10, "Star"))),
            Track(TrackKind.EVENTS, "Events", (Mark(0, 2.5, "Rolls"), Mark(2.5, 10, "Leaves"))),
            Track(TrackKind.MOMENTS, "Moments", (Mark(5, 9.96, "0.93"),)),
            Track(TrackKind.SCREEN, "On-screen text", (Mark(8, 10, "END"),), "read by hand"),
            Track(TrackKind.FRAMES, "Frames seen", tuple(Mark(t, t, "uniform") for t in times)),
        ),
        "calls": (Call("c1", "look", '{"from": 5}', "A star.", 1.84, (5.4, 7.1)),),
        "warnings": ("2 of 14 frames look like the one before: left out",),
        "facts": (Fact("Model", "nano Q8_0 on CPU"), Fact("Weights", "a" * 64)),
    }
    return Page(**(parts | changes))


def write_report(folder: Path, page: Page, *, video: str | None = None, name: str = "r") -> Path:
    """The page as a file beside its video, illustrated from it; with speech beside that."""
    path = folder / f"{name}.html"
    target = os.path.join(folder, video or page.video)
    if not os.path.exists(target):
        Path(target).write_bytes(DEMO.read_bytes())
    with open_videos() as open_video:
        looked_at = Illustrator(
            open_video(target), speech="auto", open_reader=None, progress=NoProgress()
        ).illustrate(page)
    from dataclasses import replace

    path.write_bytes(render_page(replace(looked_at, address=address_of(target, path))))
    return path
