"""What an answer would cost, measured on one frame of this video on this machine."""

import time
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from vidcli.core.media import FramePlan
from vidcli.core.prompt import ImagePart, Prompt, SeenFrame, VisualTokens
from vidcli.core.protocols import FrameSource, Session
from vidcli.core.results import Timings
from vidcli.core.sampling import Sampling
from vidcli.core.time import Timestamp
from vidcli.methods.arrange import Arranger, arranged_tokens, compose_arranged
from vidcli.methods.ask import Question, start_reply, write_turns
from vidcli.methods.compose import compose_prompt, compose_video
from vidcli.methods.recipe import Recipe
from vidcli.methods.watch import Fit, watch

PROBE_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Estimate:
    """A plan and its cost; seconds are wall seconds extrapolated from one probed frame or group.

    Attributes:
        plan: The instants that would be looked at.
        size: (width, height) frames would be decoded at.
        visual_tokens_per_frame: Of one frame; of one group where `group` is above 1.
        group: Frames the family merges into one run of tokens.
        visual_tokens: In all.
        prompt_cells: Context cells of the whole prompt.
        n_ctx: Context cells in all.
        decode_s: Decoding every frame.
        encode_s: Encoding every frame.
        prefill_s: Prefilling the prompt.
        generate_s: Generating `max_tokens`; an upper bound.
        warnings: What had to give way to fit.
        order: Of the parts of the prompt, where there are words of tools among them.
    """

    plan: FramePlan
    size: tuple[int, int]
    visual_tokens_per_frame: int
    group: int
    visual_tokens: int
    prompt_cells: int
    n_ctx: int
    decode_s: float
    encode_s: float
    prefill_s: float
    generate_s: float
    warnings: tuple[str, ...]
    order: tuple[str, ...] = ()

    @property
    def total_s(self) -> float:
        """All phases one after another; decoding overlaps, so this is an upper bound."""
        return self.decode_s + self.encode_s + self.prefill_s + self.generate_s


def estimate(
    source: FrameSource,
    session: Session,
    fit: Fit,
    question: Question,
    *,
    arranger: Arranger | None = None,
) -> Estimate:
    """Decode, encode and prefill one frame or group, and multiply.

    Args:
        source: The video.
        session: A loaded model.
        fit: What of the plan the context holds.
        question: What is to be asked.
        arranger: What the model makes of all frames together; None shows them one by one.

    Raises:
        MediaError: The probed frame cannot be decoded.
    """
    recipe = fit.recipe or Recipe()
    encoder = recipe.encoder(session, fit)
    group = encoder.profile.group
    middle = len(fit.plan.frames) // 2 // group * group
    probe = FramePlan(
        fit.plan.span, fit.plan.frames[middle : middle + group], fit.plan.rule, fit.plan.snap
    )
    timings = Timings()
    watched = watch(source, encoder, probe, size=fit.size, store=None, timings=timings)
    tokens = watched.images[0].tokens
    shown = compose_video(session.profile, watched.images, duration=source.info.duration)
    prompt = compose_prompt(session, write_turns(question), shown)
    whole = _write_whole(source, session, fit, tokens, question, arranger)
    cells = session.count_cells(whole.parts)
    prefill_s = _time_prefill(session, prompt)
    generate_s = _time_token(session, prompt) * question.sampling.max_tokens
    return Estimate(
        plan=fit.plan,
        size=fit.size,
        visual_tokens_per_frame=tokens.n_tokens,
        group=group,
        visual_tokens=whole.n_visual_tokens,
        prompt_cells=cells,
        n_ctx=session.n_ctx,
        decode_s=timings.decode * fit.n_groups,
        encode_s=timings.encode * fit.n_groups,
        prefill_s=prefill_s * cells / session.count_cells(prompt.parts),
        generate_s=0.0 if question.choices else generate_s,
        warnings=fit.warnings,
    )


def _write_whole(
    source: FrameSource,
    session: Session,
    fit: Fit,
    tokens: VisualTokens,
    question: Question,
    arranger: Arranger | None,
) -> Prompt:
    """The whole prompt, every frame taking the tokens of the probed one."""
    frames = [
        SeenFrame(i, Timestamp(int(f.time * 1000), Fraction(1, 1000)), f.time, f.reason)
        for i, f in enumerate(fit.plan.frames, start=1)
    ]
    step = session.profile.group
    groups = [tuple(frames[i : i + step]) for i in range(0, len(frames), step)]
    images = [ImagePart(group, tokens) for group in groups]
    if fit.shown_tokens:  # what the method makes of the frames is known without making it
        blank = np.zeros((fit.shown_tokens, tokens.data.shape[1]), np.float16)
        images = [ImagePart(tuple(frames), arranged_tokens(tokens, blank))]
        recipe = fit.recipe or Recipe()
        arranger = Arranger(recipe.name, None, intro=recipe.intro)
    shown = compose_arranged(
        session.profile,
        images,
        arranger,
        duration=source.info.duration,
        numbered=question.cite,
    )
    prompt = compose_prompt(session, write_turns(question), shown)
    return Prompt((*prompt.parts, *start_reply(question)), prompt.n_shared)


def _time_prefill(session: Session, prompt: Prompt) -> float:
    started = time.perf_counter()
    session.prefill(Prompt(prompt.parts))  # nothing shared: no snapshot of a probe
    return time.perf_counter() - started


def _time_token(session: Session, prompt: Prompt) -> float:
    """Wall seconds a generated token takes."""
    prefix = session.prefill(Prompt(prompt.parts))
    started = time.perf_counter()
    for _ in session.generate(prefix, Sampling(max_tokens=PROBE_TOKENS)):
        pass
    made = max(1, session.last_generation.completion_tokens)
    return (time.perf_counter() - started) / made
