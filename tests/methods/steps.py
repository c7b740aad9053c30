"""A method that does the whole work itself, to be entered into the table by a test."""

from collections.abc import Iterator
from typing import Any

from vidcli.core.results import Answer, Delta
from vidcli.methods.ask import ask
from vidcli.methods.recipe import Recipe, Room
from vidcli.methods.work import Work


def count_tools(_bench: Any, source: Any) -> dict[str, Any]:
    return {"path": source.info.path}


def answer(work: Work) -> Iterator[Delta | Answer]:
    room = Room(work.source.info.video.display_size, 200, work.question.sampling.max_tokens)
    fit = Recipe().fit(work.plan, work.session, room)
    work.record({"tool": "path", "found": work.tools["path"]})
    with work.open_store(fit.size) as store:
        watched = Recipe().watch(work.source, work.session, fit, store=store, timings=work.timings)
    yield from ask(
        work.session, watched, work.question, video=work.video, timings=work.timings,
        method=work.approach.method, approach=work.approach,
        warnings=(*work.warnings, f"asked {work.options['times']} times"),
    )  # fmt: skip
