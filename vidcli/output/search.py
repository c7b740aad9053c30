"""The document `search`: which parts of which videos fit some words best."""

from collections.abc import Sequence

from vidcli.core.model import ModelReport
from vidcli.core.results import Timings
from vidcli.core.search import Scored, Searched
from vidcli.core.time import format_range
from vidcli.output.documents import Document, head, model_entry, span_entry, timings_entry
from vidcli.output.plain import count


def search_document(
    query: str,
    hits: Sequence[Scored],
    *,
    left_out: int,
    threshold: float | None,
    searched: Searched,
    model: ModelReport | None,
    timings: Timings,
    warnings: Sequence[str],
) -> Document:
    """The document `search`.

    Args:
        query: The words.
        hits: Best first.
        left_out: Hits that were found besides.
        threshold: Least score of a hit; None for any.
        searched: How much was looked through.
        model: That compared; None where no video could be opened.
        timings: Of all videos together.
        warnings: What a reader must know.
    """
    return {
        "schema": head("search"),
        "query": query,
        "hits": [
            {
                "number": number,
                "path": hit.path,
                "fingerprint": hit.fingerprint,
                **span_entry(hit.span),
                "score": round(hit.score, 6),
            }
            for number, hit in enumerate(hits, start=1)
        ],
        "left_out": left_out,
        "threshold": threshold,
        "searched": {
            "videos": searched.videos,
            "windows": searched.windows,
            "frames": searched.frames,
            "encoded": searched.encoded,
        },
        "model": None if model is None else model_entry(model),
        "timings_s": timings_entry(timings),
        "warnings": list(warnings),
    }


def say_hit(hit: Scored, *, path: str) -> str:
    """A hit as a line that other programs take apart: `file@0:05.0–0:08.0 0.953`."""
    return f"{path}@{format_range(float(hit.span.start), float(hit.span.end))} {hit.score:.3f}"


def say_searched(searched: Searched, *, hits: int, left_out: int) -> str:
    """What hits rest on, on one line."""
    line = f"{count(hits, 'hit')} in {count(searched.windows, 'window')} of "
    line += f"{count(searched.videos, 'video')}; {count(searched.frames, 'frame')}"
    line += f", {searched.encoded} of them encoded now"
    return line + (f"; {left_out} more with a larger --top" if left_out else "")
