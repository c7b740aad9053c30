"""What `find` finds in a set whose truth is known: `python -m vidcli.bench.moments SET`.

The set has `moments.jsonl` in the form of QVHighlights, as `vidcli data synth` writes it. Every
query is asked of its video, and of every video one that belongs to another. Times are CPU seconds
of this process; use one thread to compare them.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidcli import settings
from vidcli.core.model import LoadOptions
from vidcli.core.moments import Found, PriorRule
from vidcli.core.results import Timings, VideoReport
from vidcli.core.time import parse_time
from vidcli.engine.session import LlamaSession
from vidcli.errors import UsageError, VidcliError
from vidcli.evaluate.moments import Answered, MomentScore, score_moments
from vidcli.media.plan import choose_span
from vidcli.media.video import Video, open_video
from vidcli.media.worker import DecoderWorker
from vidcli.methods.edges import coarse_span
from vidcli.methods.moments import Finding, Judge, find_moments
from vidcli.methods.saliency import ask_query
from vidcli.methods.sliding import FRAMES, WindowGrid, choose_lengths, lay_windows
from vidcli.methods.spotting import find_runs, to_log_odds
from vidcli.methods.watch import Watched, watch
from vidcli.models.gguf import read_facts
from vidcli.models.pair import resolve_files

ROWS = "moments.jsonl"


@dataclass(slots=True)
class Cost:
    """CPU seconds spent, and on what."""

    frames: int = 0
    questions: int = 0
    watch_s: float = 0.0
    ask_s: float = 0.0


class Searcher:
    """Asks queries of one video whose frames are encoded once."""

    def __init__(
        self, session: LlamaSession, video: Video, grid: WindowGrid, cost: Cost, rule: PriorRule
    ) -> None:
        self._session = session
        self._video = video
        self._grid = grid
        self._cost = cost
        self._rule = rule
        self._size = session.frame_size(video.info.video.display_size)
        self._seen: dict[Any, Watched] = {}

    def find(self, query: str) -> Found:
        """Where the query is seen."""
        finding = Finding(query, ask_query(query), settings.FIND_THRESHOLD, self._rule)
        judge = Judge(self._session, finding.question, query, Timings())
        before, watched = time.process_time(), self._cost.watch_s
        found = find_moments(
            judge,
            self._grid,
            finding,
            watch=self._watch,
            size=self._size,
            video=VideoReport("", "", self._video.info.duration),
            rate=self._video.info.video.average_rate,
        )
        spent = time.process_time() - before
        self._cost.ask_s += spent - (self._cost.watch_s - watched)
        self._cost.questions += judge.asked
        return found

    def _watch(self, plan: Any) -> Watched:
        key = tuple(frame.time for frame in plan.frames)
        if key not in self._seen:
            before = time.process_time()
            self._seen[key] = watch(
                self._video, self._session, plan, size=self._size, store=None, timings=Timings()
            )
            self._cost.watch_s += time.process_time() - before
            self._cost.frames += self._seen[key].encoded
        return self._seen[key]


def read_rows(folder: Path, *, clips: int | None) -> list[dict[str, Any]]:
    """The queries of a set, of its first videos only where `clips` says so.

    Raises:
        UsageError: There are none.
    """
    try:
        rows = [json.loads(line) for line in (folder / ROWS).read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder / ROWS} cannot be read: {error}") from error
    videos = list(dict.fromkeys(row["video"] for row in rows))[:clips]
    return [row for row in rows if row["video"] in videos]


def search_set(
    session: LlamaSession,
    folder: Path,
    rows: Sequence[dict[str, Any]],
    options: argparse.Namespace,
    cost: Cost,
) -> Iterator[tuple[Answered, Answered]]:
    """Every answer, with refined edges and with those of the windows alone."""
    videos = dict.fromkeys(row["video"] for row in rows)
    rng = random.Random(0)
    with DecoderWorker(**settings.decode_limits()) as worker:
        for name in videos:
            video = open_video(str(folder / name), worker)
            own = [row for row in rows if row["video"] == name]
            strange = [
                row["query"] for row in rows if row["query"] not in {r["query"] for r in own}
            ]
            span = choose_span(video.info)
            window, step = choose_lengths(span, window=options.window, step=None)
            grid = lay_windows(
                span,
                window=window,
                step=step,
                frames=options.frames,
                group=session.profile.group,
            )
            searcher = Searcher(session, video, grid, cost, PriorRule(options.prior))
            asked = [(row["query"], row["relevant_windows"]) for row in own]
            for query, wanted in [
                *asked,
                *((q, []) for q in rng.sample(strange, min(1, len(strange)))),
            ]:
                found = searcher.find(query)
                truth = [(float(start), float(end)) for start, end in wanted]
                yield Answered(_refined(found), truth), Answered(_coarse(found, grid), truth)


def _refined(found: Found) -> list[tuple[tuple[float, float], float]]:
    return [((float(m.span.start), float(m.span.end)), m.score) for m in found.moments]


def _coarse(found: Found, grid: WindowGrid) -> list[tuple[tuple[float, float], float]]:
    values = [to_log_odds(probability) for probability in found.probabilities]
    runs = find_runs(values, threshold=to_log_odds(found.threshold))
    spans = [coarse_span(grid, run) for run in runs]
    return [
        ((float(span.start), float(span.end)), max(found.probabilities[first : last + 1]))
        for span, (first, last) in zip(spans, runs, strict=True)
    ]


def say_score(name: str, score: MomentScore) -> str:
    """Scores on one line."""
    r1 = " ".join(f"R1@{limit:g} {100 * share:.1f}" for limit, share in score.r1.items())
    edge = "" if score.edge_s is None else f", edges {score.edge_s:.2f} s off (median)"
    return (
        f"{name:9s} {r1} mIoU {100 * score.mean_iou:.1f}{edge}; "
        f"{score.queries} queries, {score.false_finds} false finds of {score.absent}"
    )


def main(words: Sequence[str] | None = None) -> None:
    """Ask, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m vidcli.bench.moments", description=__doc__)
    parser.add_argument("set", type=Path, help="folder with moments.jsonl")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--mmproj", type=Path)
    parser.add_argument("--clips", type=int, help="only so many videos")
    parser.add_argument("--window", type=parse_time, help="length of a window")
    parser.add_argument("--frames", type=int, default=FRAMES, help="of a window")
    parser.add_argument("--prior", choices=[rule.value for rule in PriorRule], default="auto")
    parser.add_argument("--n-ctx", type=int, default=4096)
    options = parser.parse_args(words)
    try:
        files = resolve_files(options.model, options.mmproj)
        rows = read_rows(options.set, clips=options.clips)
    except VidcliError as error:
        parser.error(str(error))
    session = LlamaSession(
        files,
        weights_facts=read_facts(files.weights),
        mmproj_facts=read_facts(files.mmproj),
        options=LoadOptions(n_ctx=options.n_ctx, threads=1),
    )
    cost = Cost()
    with session:
        answers = list(search_set(session, options.set, rows, options, cost))
    for name, side in (("windows", 1), ("refined", 0)):
        print(say_score(name, score_moments([pair[side] for pair in answers])))  # noqa: T201
    print(  # noqa: T201
        f"{cost.frames} frames encoded, {1000 * cost.watch_s / max(1, cost.frames):.1f} CPU ms each"
        f" with decoding; {cost.questions} questions,"
        f" {1000 * cost.ask_s / max(1, cost.questions):.1f} CPU ms each"
    )


if __name__ == "__main__":
    main()
