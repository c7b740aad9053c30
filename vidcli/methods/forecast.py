"""What a summary would cost, measured on one frame of this video on this machine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vidcli.core.summary import SegmentPlan, SummaryPlan
from vidcli.methods.ask import Question
from vidcli.methods.captioning import Captioner, Draft
from vidcli.methods.estimate import estimate
from vidcli.methods.reducing import PART_TEXT_CHARS, Item, Reduction, Request
from vidcli.methods.summarize import SAID_WORDS

FILLER = "the "  # at least one token in any vocabulary


@dataclass(frozen=True, slots=True)
class Forecast:
    """A plan inside the context, and its cost, were all captions and replies as long as may be.

    Attributes:
        plan: The instants that would be looked at.
        size: (width, height) frames would be decoded at.
        tokens_per_frame: Visual tokens of one frame or group.
        visual_tokens: In all.
        prompt_cells: Of all prompts of segments together.
        steps: Replies that put captions together.
        step_cells: Of all their prompts together.
        reply_tokens: Longest of them.
        kept: Segments that an earlier run captioned.
        seconds: By phase; what is captioned already costs nothing.
        warnings: What had to give way to fit.
    """

    plan: SummaryPlan
    size: tuple[int, int]
    tokens_per_frame: int
    visual_tokens: int
    prompt_cells: int
    steps: int
    step_cells: int
    reply_tokens: int
    kept: int
    seconds: dict[str, float]
    warnings: tuple[str, ...]


def forecast(captioner: Captioner) -> Forecast:
    """Decode, encode and prefill one frame or group, and multiply.

    Raises:
        MediaError: The probed frame cannot be decoded.
        ResourceError: The context is too small.
    """
    writer = captioner.writer
    session = writer.session
    drafts = list(_drafts(captioner))
    probed = drafts[len(drafts) // 2]
    tokens = captioner.caption_tokens
    sampling = replace(writer.sampling, max_tokens=tokens)
    cost = estimate(
        captioner.source, session, probed.fit, Question(probed.question, sampling=sampling)
    )
    reduction, step_cells = _rehearse_reduction(captioner, drafts)
    todo = [draft for draft in drafts if draft.kept is None]
    groups = sum(draft.fit.n_groups for draft in todo)
    cell_s = cost.prefill_s / max(1, cost.prompt_cells)
    token_s = cost.generate_s / tokens
    cells = {draft.number: _cells(captioner, draft) for draft in drafts}
    seconds = {
        "decode": cost.decode_s / probed.fit.n_groups * groups,
        "encode": cost.encode_s / probed.fit.n_groups * groups,
        "prefill": cell_s * sum(cells[draft.number] for draft in todo),
        "generate": token_s * tokens * len(todo),
        "reduce": cell_s * step_cells + token_s * reduction.reply_tokens * reduction.steps,
    }
    warnings = dict.fromkeys(text for draft in drafts for text in draft.fit.warnings)
    return Forecast(
        plan=_fitted(captioner.plan, drafts),
        size=probed.fit.size,
        tokens_per_frame=cost.visual_tokens_per_frame,
        visual_tokens=cost.visual_tokens_per_frame * sum(d.fit.n_groups for d in drafts),
        prompt_cells=sum(cells.values()),
        steps=reduction.steps,
        step_cells=step_cells,
        reply_tokens=reduction.reply_tokens,
        kept=len(drafts) - len(todo),
        seconds=seconds | {"total": sum(seconds.values())},
        warnings=(*captioner.plan.notes, *warnings),
    )


def _drafts(captioner: Captioner) -> Iterator[Draft]:
    for number, segment in enumerate(captioner.plan.segments, start=1):
        yield captioner.draft(number, segment, captioner.said[number - 1])


def _cells(captioner: Captioner, draft: Draft) -> int:
    """Cells of a segment's prompt: all that fitting it left neither free nor kept for the reply."""
    room = captioner.writer.session.n_ctx - captioner.caption_tokens - 1
    return room - draft.fit.free_cells


def _fitted(plan: SummaryPlan, drafts: Sequence[Draft]) -> SummaryPlan:
    segments = (SegmentPlan(draft.plan.span, draft.fit.plan) for draft in drafts)
    return replace(plan, segments=tuple(segments))


def _rehearse_reduction(captioner: Captioner, drafts: Sequence[Draft]) -> tuple[Reduction, int]:
    """Put captions of the greatest length together, with replies of the greatest length."""
    writer, cells = captioner.writer, 0

    def reply(request: Request) -> dict[str, Any]:
        nonlocal cells
        cells += writer.count(request.text)
        listed = next(iter(request.schema["properties"].values()))
        if request.name != "condense":
            return {}
        most, lines = listed["maxItems"], listed["items"]["properties"]["first"]["maximum"]
        text = FILLER * (PART_TEXT_CHARS // len(FILLER))
        return {
            "parts": [
                {"first": 1 + part * lines // most, "title": FILLER, "text": text}
                for part in range(most)
            ]
        }

    reduction = Reduction(writer.session.n_ctx, writer.count, reply)
    items = [
        Item(
            draft.number,
            draft.number,
            draft.plan.span,
            FILLER * captioner.caption_tokens,
            FILLER * min(draft.words, SAID_WORDS),
        )
        for draft in drafts
    ]
    condensed = reduction.condense(items)
    if not captioner.plan.marks:
        reduction.find_chapters(condensed)
    reduction.summarize(condensed)
    return reduction, cells
