"""The methods `captions` and `tree`, as `vidcli.methods.registry` names them."""

from collections.abc import Iterator
from dataclasses import replace

from vidcli.core.results import Answer, Approach, Delta
from vidcli.core.route import Reading
from vidcli.methods.ask import Question
from vidcli.methods.captions import SUMMARY_SHARE
from vidcli.methods.estimate import Estimate, estimate
from vidcli.methods.through_text import Parts, ThroughText
from vidcli.methods.tree import FIRST, MOST, RELEVANCE_TOKENS
from vidcli.methods.work import Work

RELEVANCE_CALLS = 3  # of 8, 16 and 32 clusters


def answer_captions(work: Work) -> Iterator[Delta | Answer]:
    """Answer from a caption of every planned instant; see `methods.captions`."""
    through = ThroughText(list_parts(work))
    yield from through.read_all(method=work.approach.method)
    yield finish(work, through)


def answer_tree(work: Work) -> Iterator[Delta | Answer]:
    """Answer from captions of the frames that matter; see `methods.tree`."""
    through = ThroughText(list_parts(work))
    budget = int(work.options["budget"])
    yield from through.read_tree(method=work.approach.method, budget=budget)
    yield finish(work, through)


def list_parts(work: Work) -> Parts:
    """What an answer through text is made with, from the work and its tools."""
    write_step = work.tools["write_step"]
    return Parts(
        session=work.session,
        planner=work.tools["planner"],
        identities=work.tools["identities"],
        source=work.source,
        plan=work.plan,
        question=work.question,
        video=work.video,
        reading=Reading(str(work.options["prompt"])),
        open_store=work.open_store,
        pieces=work.tools["pieces"],
        timings=work.timings,
        progress=work.progress,
        record=lambda step: work.record(write_step(step)),
    )


def finish(work: Work, through: ThroughText) -> Answer:
    """The answer, with what the work knows of it."""
    answer = through.answer
    assert answer is not None, "what is read to its end is answered"
    warnings = tuple(dict.fromkeys((*work.warnings, *answer.warnings)))
    approach: Approach = replace(work.approach, encoded=through.n_encoded)
    return replace(answer, warnings=warnings, approach=approach)


def estimate_captions(work: Work) -> Estimate:
    """What `captions` would take: a caption for every instant, then the calls of text."""
    return estimate_reading(work, captions=len(work.plan.frames), judged=0)


def estimate_tree(work: Work) -> Estimate:
    """What `tree` would take at most: captions up to its budget, and every look at relevance."""
    most = min(int(work.options["budget"]), len(work.plan.frames))
    looks = min(RELEVANCE_CALLS, max(1, -(-min(most, MOST) // FIRST)))
    return estimate_reading(work, captions=most, judged=looks)


def estimate_reading(work: Work, *, captions: int, judged: int) -> Estimate:
    """Decode, encode and caption one frame, and multiply; captions as long as may be.

    Args:
        work: Of the method.
        captions: Frames or groups to caption.
        judged: Calls on relevance.
    """
    parts = replace(list_parts(work), record=None)
    captioner = ThroughText(parts).make_captioner(None)
    n_groups = len(captioner.plan.segments)
    captions = min(captions, n_groups)
    number = n_groups // 2 + 1
    draft = captioner.draft(number, captioner.plan.segments[number - 1], "")
    tokens = captioner.caption_tokens
    sampling = replace(parts.question.sampling, max_tokens=tokens, grammar="")
    cost = estimate(
        work.source, work.session, draft.fit, Question(draft.question, sampling=sampling)
    )
    cell_s = cost.prefill_s / max(1, cost.prompt_cells)
    token_s = cost.generate_s / tokens
    cells, written = _count_text(parts, captions * tokens, judged)
    return replace(
        cost,
        plan=work.plan,
        visual_tokens=cost.visual_tokens_per_frame * captions,
        prompt_cells=min(work.session.n_ctx, captions * tokens),
        decode_s=cost.decode_s * n_groups,
        encode_s=cost.encode_s * n_groups,
        prefill_s=cost.prefill_s * captions + cell_s * cells,
        generate_s=cost.generate_s * captions + token_s * written,
    )


def _count_text(parts: Parts, caption_tokens: int, judged: int) -> tuple[int, int]:
    """Cells of all prompts of text, and tokens of all replies, at most."""
    n_ctx = (parts.planner or parts.session).n_ctx
    prompts = judged + (1 if parts.reading is Reading.QA else 2)
    step = 0 if parts.reading is Reading.QA else n_ctx // SUMMARY_SHARE
    last = 0 if parts.question.choices else parts.question.sampling.max_tokens
    return min(n_ctx, caption_tokens) * prompts, judged * RELEVANCE_TOKENS + step + last
