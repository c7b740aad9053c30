"""Answer a question about a watched video; caption and check are asks with a set question."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from vidcli.core.prompt import Part, Prompt, TextPart
from vidcli.core.protocols import Prefix, Progress, Session, TextSession
from vidcli.core.results import (
    Answer,
    Approach,
    Choice,
    Delta,
    Evidence,
    FinishReason,
    Generation,
    Timings,
    Usage,
    VideoReport,
)
from vidcli.core.sampling import Sampling
from vidcli.errors import ResourceError, UsageError
from vidcli.methods import cite
from vidcli.methods.arrange import compose_arranged
from vidcli.methods.compose import compose_prompt
from vidcli.methods.watch import Watched
from vidcli.methods.wording import OWN, PLAIN, Wording, word

CAPTION_QUESTION = "Describe what happens in this video in one paragraph."
METHOD = "uniform"
Turn = tuple[str, tuple[Part, ...]]
"""A role, and what it says."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how the answer may look.

    Attributes:
        text: The question itself.
        choices: Closed options; the answer is the likeliest, nothing is generated.
        cite: Number the frames and have the answer name them.
        sampling: How to generate; its grammar, if any, shapes the answer.
        structured: The grammar makes JSON, of which half is of no use: it is given out whole.
        style: In whose words it is put, of `wording.STYLES`.
    """

    text: str
    choices: tuple[str, ...] = ()
    cite: bool = False
    sampling: Sampling = field(default_factory=Sampling)
    structured: bool = False
    style: str = OWN

    @property
    def wording(self) -> Wording:
        """How it is put to the model.

        Raises:
            UsageError: Its style does not go with the form of the answer.
        """
        if self.style in (OWN, PLAIN):
            return Wording(self.instruction)
        if self.structured or self.cite:
            raise UsageError(
                f"--prompt-style {self.style} begins the answer itself, and does not go with "
                f"{'--schema' if self.structured else '--cite'}",
                hint="leave one of them out",
            )
        return word(self.style, self.text, self.choices)

    @property
    def instruction(self) -> str:
        """The text the model is given after the video."""
        if self.choices and self.style != PLAIN:
            options = ", ".join(self.choices[:-1]) + f" or {self.choices[-1]}"
            return f"{self.text}\nAnswer with {options}."
        return f"{self.text}\n{cite.INSTRUCTION}" if self.cite else self.text


def ask_check(statement: str, sampling: Sampling) -> Question:
    """A yes-or-no question: is this statement true of the video?"""
    text = f"Is this true of the video? {statement}"
    return Question(text, choices=("yes", "no"), sampling=sampling)


def question_parts(question: Question) -> tuple[Part, ...]:
    """What stands after the video; the user's words never count as control tokens."""
    return (TextPart(question.wording.text),)


def write_turns(question: Question, before: Sequence[Part] = ()) -> list[Turn]:
    """The conversation that puts a question, with what stands before it in the user's turn."""
    turns: list[Turn] = [("user", (*before, *question_parts(question)))]
    system = question.wording.system
    return [("system", (TextPart(system),)), *turns] if system else turns


def start_reply(question: Question) -> tuple[Part, ...]:
    """What is put into the model's mouth."""
    started = question.wording.started
    return (TextPart(started),) if started else ()


def compose(session: Session, watched: Watched, question: Question, video: VideoReport) -> Prompt:
    """The whole prompt for one question about one watched video."""
    shown = compose_arranged(
        session.profile,
        watched.images,
        watched.arranger,
        duration=video.duration,
        numbered=question.cite,
    )
    prompt = compose_prompt(session, write_turns(question), shown, label=name_video(video))
    return replace(prompt, parts=(*prompt.parts, *start_reply(question)))


def name_video(video: VideoReport) -> str:
    """What to call a video where its path is too long."""
    return PurePath(video.path).name


def ask(
    session: Session,
    watched: Watched,
    question: Question,
    *,
    video: VideoReport,
    timings: Timings,
    method: str = METHOD,
    approach: Approach | None = None,
    warnings: Sequence[str] = (),
    progress: Progress | None = None,
    prompt: Prompt | None = None,
) -> Iterator[Delta | Answer]:
    """Answer a question: pieces of text as they come, then the whole answer with its evidence.

    Args:
        session: A loaded model.
        watched: The video as visual tokens.
        question: What is asked.
        video: Facts about the video for the result.
        timings: Prefill and generate seconds are added to it.
        method: How the frames were chosen, for the result.
        approach: The method with its parameters, for the result.
        warnings: What the result should mention besides what happens here.
        progress: Told while prefilling.
        prompt: Of the question, where it is more than the video and the question.

    Yields:
        `Delta`s, then one `Answer`.

    Raises:
        ResourceError: A structured answer is longer than it may be.
        KeyboardInterrupt: Ctrl-C, after what was written has been yielded.
    """
    prompt = prompt or compose(session, watched, question, video)
    started, native_before = time.perf_counter(), session.native_s
    prefix = session.prefill(prompt, progress=progress)
    timings.prefill += time.perf_counter() - started
    started = time.perf_counter()
    choices: tuple[Choice, ...] = ()
    wording = question.wording
    if question.choices:
        choices = score_choices(session, prefix, question.choices, spellings=wording.spellings)
        best = max(choices, key=lambda choice: choice.probability)
        made = Generation(best.text, FinishReason.STOP, 0)
        yield Delta(best.text)
    elif question.structured:
        made = generate_whole(session, prefix, question.sampling)
        yield Delta(made.text)
    else:
        if wording.said:
            yield Delta(wording.said)
        yield from session.generate(prefix, question.sampling)
        made = session.last_generation
        made = replace(made, text=wording.said + made.text)
    timings.generate += time.perf_counter() - started
    timings.native += session.native_s - native_before
    yield report_answer(
        session,
        watched,
        prompt,
        prefix,
        made,
        question=question.text,
        video=video,
        timings=timings,
        method=method,
        approach=approach,
        cited=question.cite,
        choices=choices,
        warnings=warnings,
    )


def report_answer(
    session: Session,
    watched: Watched,
    prompt: Prompt,
    prefix: Prefix,
    made: Generation,
    *,
    question: str,
    video: VideoReport,
    timings: Timings,
    method: str,
    approach: Approach | None = None,
    cited: bool = False,
    choices: tuple[Choice, ...] = (),
    warnings: Sequence[str] = (),
) -> Answer:
    """An answer with everything it rests on.

    Args:
        session: That made it.
        watched: What the model saw.
        prompt: What the model was shown.
        prefix: The prompt as it was held.
        made: What the model wrote.
        question: As asked.
        video: Facts about the video.
        timings: Copied.
        method: How the frames were chosen.
        approach: The method with its parameters.
        cited: Whether the model was asked to name frames; else all of them are the evidence.
        choices: Of a closed question.
        warnings: What to mention besides what happened here.
    """
    evidence, dropped = find_evidence(made.text, watched, cited=cited)
    notes = dict.fromkeys([*warnings, *watched.warnings, *list_cuts(made, dropped)])
    return Answer(
        question=question,
        text=made.text.strip(),
        finish=made.finish,
        video=video,
        frames=watched.frames,
        frame_tokens=watched.frame_tokens,
        coverage=watched.coverage,
        evidence=evidence,
        citations_dropped=dropped,
        choices=choices,
        method=method,
        model=session.report,
        usage=Usage(
            visual_tokens=prompt.n_visual_tokens,
            prompt_tokens=prefix.n_cells - prompt.n_visual_tokens,
            completion_tokens=made.completion_tokens,
            visual_cache=watched.cache,
            prefix_cache=prefix.cache,
        ),
        timings=replace(timings),
        warnings=tuple(notes),
        approach=approach or Approach(encoded=watched.encoded),
    )


def generate_whole(session: TextSession, prefix: Prefix, sampling: Sampling) -> Generation:
    """Generate an answer that is only of use when it is complete.

    Raises:
        ResourceError: It ended before its grammar did.
    """
    for _ in session.generate(prefix, sampling):
        pass
    made = session.last_generation
    if made.finish is not FinishReason.STOP:
        raise ResourceError(
            f"the answer was cut at {made.completion_tokens} tokens, before its JSON was complete",
            hint="allow more with --max-tokens, or bound strings with maxLength in the schema",
        )
    return made


def find_evidence(text: str, watched: Watched, *, cited: bool) -> tuple[tuple[Evidence, ...], int]:
    """Evidence of an answer: its citations, or all frames where none were asked for."""
    if cited:
        return cite.read_citations(text, watched.frames, watched.coverage)
    if not watched.frames:
        return (), 0
    return (cite.show_frames(watched.frames, watched.frames, watched.coverage),), 0


def list_cuts(made: Generation, dropped: int = 0) -> list[str]:
    """What a reader of an answer should know: notes, where it was cut, citations left out."""
    warnings = list(made.notes)
    if made.finish is FinishReason.LENGTH:
        warnings.append(
            f"the answer was cut at {made.completion_tokens} tokens; --max-tokens allows more"
        )
    if dropped:
        warnings.append(f"{dropped} cited frame{'s do' if dropped > 1 else ' does'} not exist")
    return warnings


def score_choices(
    session: TextSession,
    prefix: Prefix,
    choices: Sequence[str],
    *,
    spellings: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Choice, ...]:
    """Probability of each option as the reply, among the options, without generating.

    Each option is scored in the spellings a reply may open with (as given, capitalised, with a
    space before it); their probabilities add up. A spelling counts by its mean
    log-probability a token, so that long options are not at a disadvantage. `spellings` takes the
    place of those.
    """
    spelled = spellings or {text: _spell(text) for text in choices}
    scores = _score_spellings(session, prefix, spelled)
    top = max(scores.values())
    total = sum(math.exp(score - top) for score in scores.values())
    return tuple(
        Choice(text, math.exp(score - top) / total, score) for text, score in scores.items()
    )


def _spell(option: str) -> tuple[str, ...]:
    capital = option[:1].upper() + option[1:]
    return tuple(dict.fromkeys([option, capital, f" {option}", f" {capital}"]))


def _score_spellings(
    session: TextSession, prefix: Prefix, spellings: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    flat = [text for group in spellings.values() for text in group]
    means = dict(zip(flat, session.score(prefix, flat), strict=True))
    return {
        option: math.log(sum(math.exp(means[text]) for text in group))
        for option, group in spellings.items()
    }
