"""Answers from the words of tools, from visual tokens, or from both in one turn.

Source: VideoChat (arXiv:2305.06355): its text and embedded forms, and both together. Video-LLaMA
(arXiv:2306.02858): what is heard before what is seen, as a transcript.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from vidcli.core.media import measure_coverage
from vidcli.core.prompt import Part, SeenFrame, TextPart
from vidcli.core.protocols import Progress, Session
from vidcli.core.results import Answer, Approach, CacheUse, Delta, Timings, VideoReport
from vidcli.core.sampling import Sampling
from vidcli.core.summary import TracedStep
from vidcli.core.time import Span, Timestamp
from vidcli.core.tool_text import Mixture, Mode, ToolLine, ToolSection
from vidcli.errors import UsageError
from vidcli.methods.arrange import compose_arranged
from vidcli.methods.ask import Question, ask, name_video
from vidcli.methods.assemble import (
    Assembled,
    Material,
    assemble,
    say_sampling,
    write_sections,
)
from vidcli.methods.captions import plan_segments
from vidcli.methods.cite import show_frames
from vidcli.methods.converse import Turn
from vidcli.methods.estimate import Estimate, estimate
from vidcli.methods.tool_sections import (
    MOST_TAGS,
    Finding,
    Found,
    find_sections,
    make_captioner,
    plan_dense,
)
from vidcli.methods.watch import Fit, Watched, fit_plan, watch
from vidcli.methods.work import Work

NAME = "hybrid"
MILLISECOND = Fraction(1, 1000)
TAG_CELLS = 4  # of a word and its number
WORDS_SHARE = 3  # one cell in so many is kept from frames for what tools and people say


@dataclass(slots=True)
class Mixing:
    """A conversation about one video; each question is put together anew.

    Attributes:
        session: A loaded model.
        mode: What it is shown.
        watched: The video as visual tokens; without any where none are shown.
        found: What tools found; nothing where none were asked.
        video: Facts about the video.
        method: How to call this in the result.
        approach: The same, with its parameters.
        record: Told of every prompt and its reply; None traces nothing.
        turns: What was said, oldest first; those that no longer fit are dropped from the front.
    """

    session: Session
    mode: Mode
    watched: Watched
    found: Found
    video: VideoReport
    method: str = NAME
    approach: Approach = field(default_factory=Approach)
    record: Callable[[TracedStep], None] | None = None
    turns: list[Turn] = field(default_factory=list)

    @property
    def shows_frames(self) -> bool:
        """Whether the model is shown the video itself."""
        return self.mode.shows

    def ask(
        self, question: str, sampling: Sampling, *, progress: Progress | None = None
    ) -> Iterator[Delta | Answer]:
        """Answer the next question in the light of the turns before it.

        Yields:
            `Delta`s, then one `Answer`; the turn is remembered when its answer is complete, and
            on an interrupt with what had been written.

        Raises:
            ResourceError: It does not fit beside the video.
        """
        written: list[str] = []
        asked = Question(question, sampling=sampling)
        pieces = self.answer(asked, timings=Timings(), progress=progress)
        begun = False
        try:
            for piece in pieces:
                begun = True
                if isinstance(piece, Delta):
                    written.append(piece.text)
                else:
                    spent = piece.timings
                    total = spent.prefill + spent.generate
                    piece = replace(piece, timings=replace(spent, total=total))
                yield piece
        finally:
            if begun:
                self.turns.append(Turn(question, "".join(written).strip()))

    def answer(
        self, question: Question, *, timings: Timings, progress: Progress | None = None
    ) -> Iterator[Delta | Answer]:
        """Answer one question; see `ask`. Nothing of it is remembered."""
        made = self.assemble(question)
        self.turns = list(made.turns)
        for piece in ask(
            self.session,
            self.watched,
            question,
            prompt=made.prompt,
            video=self.video,
            timings=timings,
            method=self.method,
            approach=self.approach,
            warnings=(*self.found.warnings, *made.warnings),
            progress=progress,
        ):
            if isinstance(piece, Answer):
                piece = self._complete(piece, made.mixture)
                if self.record is not None:
                    shown = self.session.trace(made.prompt)
                    self.record(TracedStep("answer", shown, piece.text, is_kept=False))
            yield piece

    def assemble(self, question: Question) -> Assembled:
        """The prompt for a question, inside the context."""
        shown: tuple[Part, ...] = ()
        if self.mode.shows:
            shown = compose_arranged(
                self.session.profile,
                self.watched.images,
                self.watched.arranger,
                duration=self.video.duration,
            )
        reserve = question.sampling.max_tokens
        if question.choices:
            reserve = max(len(option.encode()) for option in question.choices) + 1
        material = Material(
            mode=self.mode,
            shown=shown,
            frames=self.watched.frames,
            sections=self.found.sections,
            question=question.instruction,
            label=name_video(self.video),
        )
        return assemble(self.session, material, self.turns, reserve=reserve)

    def look_at(self, watched: Watched) -> None:
        """Show other frames from now on; what was said is kept."""
        self.watched = watched

    def _complete(self, answer: Answer, mixture: Mixture) -> Answer:
        """Say what it rests on; without visual tokens, the frames that tools were shown."""
        answer = replace(answer, mixture=mixture)
        if self.mode.shows:
            return answer
        frames, coverage = self.found.frames, self.watched.coverage
        return replace(
            answer,
            frames=frames,
            frame_tokens=self.found.frame_tokens,
            evidence=(show_frames(frames, frames, coverage),),
        )


def watch_nothing(found: Found, span: Span) -> Watched:
    """A video of which the model is shown nothing; covered by what its tools were shown."""
    times = [frame.time.seconds for frame in found.frames]
    return Watched((), measure_coverage(span, times), CacheUse.OFF, ())


def answer_hybrid(work: Work) -> Iterator[Delta | Answer]:
    """The method `hybrid`: one question, by the mode that its parameter names."""
    question, mode = work.question, Mode(str(work.options["mode"]))
    if question.cite:
        raise UsageError(
            "--cite does not go with --method hybrid",
            hint="--json has what each tool found, with its times",
        )
    finding = list_finding(work)
    found = find_sections(finding, mode) if mode.tells else Found()
    watched = _show(work) if mode.shows else watch_nothing(found, work.span)
    mixing = Mixing(
        work.session,
        mode,
        watched,
        found,
        work.video,
        method=NAME,
        approach=replace(work.approach, encoded=watched.encoded + found.encoded),
        record=finding.record,
    )
    for piece in mixing.answer(question, timings=work.timings, progress=work.progress):
        if isinstance(piece, Answer):
            warnings = dict.fromkeys((*work.warnings, *piece.warnings))
            piece = replace(piece, warnings=tuple(warnings))
        yield piece


def list_finding(work: Work) -> Finding:
    """What sections are found with, from the work and its tools."""
    write_step = work.tools["write_step"]
    return Finding(
        session=work.session,
        source=work.source,
        plan=work.plan,
        video=work.video,
        identity=work.tools["identity"],
        sampling=work.question.sampling,
        open_store=work.open_store,
        pieces=work.tools["pieces"],
        timings=work.timings,
        tools=work.tools["choose"](work.options),
        progress=work.progress,
        record=lambda step: work.record(write_step(step)),
    )


def _fit(work: Work) -> Fit:
    """As many instants as leave room for words."""
    session = work.session
    return fit_plan(
        work.plan,
        session,
        display_size=work.source.info.video.display_size,
        question_cells=0,
        reserve=max(session.n_ctx // WORDS_SHARE, work.question.sampling.max_tokens),
    )


def _show(work: Work) -> Watched:
    """Visual tokens of the instants that fit."""
    fit = _fit(work)
    with work.open_store(fit.size) as store:
        watched = watch(
            work.source,
            work.session,
            fit.plan,
            size=fit.size,
            store=store,
            timings=work.timings,
            progress=work.progress,
        )
    warnings = (*watched.warnings, *fit.warnings)
    return replace(watched, warnings=warnings, arranger=work.tools["arranger"])


def estimate_hybrid(work: Work) -> Estimate:
    """What `hybrid` would take at most: every caption as long as may be, and one answer.

    What is said and what is read on the screen is not in it, but for subtitles where the mode is
    `transcript`.
    """
    mode, question = Mode(str(work.options["mode"])), work.question
    cost = estimate(
        work.source, work.session, _fit(work), question, arranger=work.tools["arranger"]
    )
    cost = replace(cost, order=mode.order)
    if mode.speaks_first:
        return _add_transcript(work, cost)
    if not mode.tells:
        return cost
    finding = replace(list_finding(work), record=None)
    group = work.session.profile.group
    parts = plan_segments(work.plan, group=group)
    dense = plan_dense(work.plan, group=group)
    n_captions = len(parts.segments) + (len(dense.segments) if dense else 0)
    captioner = make_captioner(finding, parts)
    number = len(parts.segments) // 2 + 1
    draft = captioner.draft(number, parts.segments[number - 1], "")
    sampling = replace(question.sampling, max_tokens=captioner.caption_tokens, grammar="")
    one = estimate(
        work.source, work.session, draft.fit, Question(draft.question, sampling=sampling)
    )
    spans = [part.span for plan in (parts, dense) if plan for part in plan.segments]
    bare = ToolSection("caption", "model", tuple(ToolLine("", span) for span in spans))
    words = work.session.count_cells([TextPart(write_sections([bare]))])
    words += n_captions * captioner.caption_tokens + MOST_TAGS * TAG_CELLS
    alone = cost.prompt_cells if mode.shows else 0
    cells = min(alone + words, work.session.n_ctx - question.sampling.max_tokens)
    cell_s = one.prefill_s / max(1, one.prompt_cells)
    return replace(
        cost,
        visual_tokens=cost.visual_tokens if mode.shows else 0,
        prompt_cells=cells,
        prefill_s=one.prefill_s * n_captions + cell_s * cells,
        generate_s=one.generate_s * n_captions + cost.generate_s,
    )


def _add_transcript(work: Work, cost: Estimate) -> Estimate:
    """A cost with that of what is written down already of what is said."""
    section: ToolSection = work.tools["foresee"](work.options, work.span, work.progress)
    frames = [
        SeenFrame(number, Timestamp(int(frame.time * 1000), MILLISECOND), frame.time, frame.reason)
        for number, frame in enumerate(cost.plan.frames, start=1)
    ]
    told = f"{write_sections([section])}\n\n{say_sampling(frames)}\n\n"
    words = work.session.count_cells([TextPart(told)])
    room = work.session.n_ctx - work.question.sampling.max_tokens
    cells = min(cost.prompt_cells + words, room)
    notes = (*section.notes, *((section.absent,) if section.absent else ()))
    return replace(
        cost,
        prompt_cells=cells,
        prefill_s=cost.prefill_s * cells / max(1, cost.prompt_cells),
        warnings=(*cost.warnings, *notes),
    )
