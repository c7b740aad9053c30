"""Which of some labels fit a video: one of them, or each judged by itself.

One of them is a closed question (`ask`); here is the other way, where every label gets a yes or no
of its own and any number of them may fit.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from vidcli.core.protocols import Progress, Session
from vidcli.core.results import (
    Answer,
    Approach,
    CacheUse,
    Choice,
    FinishReason,
    Generation,
    Timings,
    VideoReport,
)
from vidcli.core.sampling import Sampling
from vidcli.core.summary import TracedStep
from vidcli.methods.ask import Question, compose, report_answer, score_choices
from vidcli.methods.watch import Watched

LABEL = "{label}"
WHICH = "Which of these fits the video best?"
WHETHER = f"Does this fit the video? {LABEL}"
YES, NO = "yes", "no"


def ask_which(labels: Sequence[str], text: str = WHICH) -> Question:
    """The question to which one of the labels is the answer."""
    return Question(text, choices=tuple(labels), sampling=Sampling())


def ask_whether(label: str, text: str = WHETHER) -> Question:
    """The yes-or-no question about one label; it stands where `text` says `{label}`."""
    return Question(text.replace(LABEL, label), choices=(YES, NO), sampling=Sampling())


def judge_labels(
    session: Session,
    watched: Watched,
    labels: Sequence[str],
    *,
    text: str,
    video: VideoReport,
    timings: Timings,
    method: str,
    approach: Approach,
    warnings: Sequence[str] = (),
    progress: Progress | None = None,
    record: Callable[[TracedStep], None] | None = None,
) -> Answer:
    """Judge each label by itself: its probability is that of yes, and they need not add up to 1.

    The video is prefilled once; only the question about each label is prefilled anew.

    Args:
        session: A loaded model.
        watched: The video as visual tokens.
        labels: At least one.
        text: The question, with `{label}` where the label stands.
        video: Facts about the video for the result.
        timings: Prefill and generate seconds are added to it.
        method: How the frames were chosen, for the result.
        approach: The method with its parameters, for the result.
        warnings: What the result should mention.
        progress: Told after every label.
        record: Told of every prompt and what came of it; None traces nothing.

    Returns:
        An answer with a choice for each label, in the order given; its text names those that are
        likelier to fit than not.
    """
    native_before, choices, cells = session.native_s, [], 0
    prompt, prefix, cache = None, None, CacheUse.OFF
    for number, label in enumerate(labels, start=1):
        question = ask_whether(label, text)
        started = time.perf_counter()
        prompt = compose(session, watched, question, video)
        prefix = session.prefill(prompt)
        timings.prefill += time.perf_counter() - started
        started = time.perf_counter()
        yes = next(c for c in score_choices(session, prefix, (YES, NO)) if c.text == YES)
        timings.generate += time.perf_counter() - started
        choices.append(Choice(label, yes.probability, yes.log_probability))
        cells += prefix.n_cells - prompt.n_visual_tokens
        cache = prefix.cache if number == 1 else cache
        if record:
            reply = f"{YES} {yes.probability:.6f}"
            record(TracedStep(label, session.trace(prompt), reply, is_kept=False))
        if progress:
            progress("label", number, len(labels))
    assert prompt is not None, "there is at least one label"
    assert prefix is not None, "what is written is prefilled"
    timings.native += session.native_s - native_before
    fitting = ", ".join(choice.text for choice in choices if choice.probability >= 0.5)
    answer = report_answer(
        session,
        watched,
        prompt,
        prefix,
        Generation(fitting, FinishReason.STOP, 0),
        question=text,
        video=video,
        timings=timings,
        method=method,
        approach=approach,
        choices=tuple(choices),
        warnings=warnings,
    )
    usage = replace(answer.usage, prompt_tokens=cells, prefix_cache=cache)
    return replace(answer, usage=usage)
