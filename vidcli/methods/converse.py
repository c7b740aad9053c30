"""Many turns over one video: each costs only its own tokens, the oldest are forgotten first."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vidcli.core.prompt import Part, Prompt, TextPart
from vidcli.core.protocols import Progress, Session
from vidcli.core.results import Answer, Delta, Timings, VideoReport
from vidcli.core.sampling import Sampling
from vidcli.errors import ResourceError
from vidcli.methods.arrange import compose_arranged
from vidcli.methods.ask import METHOD, name_video, report_answer
from vidcli.methods.compose import compose_prompt
from vidcli.methods.watch import Watched


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what was answered."""

    question: str
    answer: str


@dataclass(slots=True)
class Conversation:
    """A chat about one watched video.

    Attributes:
        session: A loaded model; its context keeps the video between turns.
        watched: The video as visual tokens.
        video: Facts about it for the results.
        method: How its frames were chosen.
        turns: What was said, oldest first; those that no longer fit are dropped from the front.
        n_dropped: Turns forgotten so far.
    """

    session: Session
    watched: Watched
    video: VideoReport
    method: str = METHOD
    turns: list[Turn] = field(default_factory=list)
    n_dropped: int = 0

    @property
    def shows_frames(self) -> bool:
        """Whether the model is shown the video itself."""
        return True

    def ask(
        self, question: str, sampling: Sampling, *, progress: Progress | None = None
    ) -> Iterator[Delta | Answer]:
        """Answer the next question in the light of the turns before it.

        Yields:
            `Delta`s, then one `Answer`; the turn is remembered when its answer is complete, and
            on an interrupt with what had been written.

        Raises:
            ResourceError: The question alone does not fit beside the video.
        """
        timings, started = Timings(), time.perf_counter()
        native_before = self.session.native_s
        prompt, forgotten = self._fit(question, sampling.max_tokens)
        prefix = self.session.prefill(prompt, progress=progress)
        timings.prefill = time.perf_counter() - started
        written: list[str] = []
        try:
            for delta in self.session.generate(prefix, sampling):
                written.append(delta.text)
                yield delta
        finally:
            self.turns.append(Turn(question, "".join(written).strip()))
        timings.total = time.perf_counter() - started
        timings.generate = timings.total - timings.prefill
        timings.native = self.session.native_s - native_before
        yield report_answer(
            self.session,
            self.watched,
            prompt,
            prefix,
            self.session.last_generation,
            question=question,
            video=self.video,
            timings=timings,
            method=self.method,
            warnings=forgotten,
        )

    def look_at(self, watched: Watched) -> None:
        """Show other frames from now on; what was said is kept."""
        self.watched = watched

    def _fit(self, question: str, reserve: int) -> tuple[Prompt, tuple[str, ...]]:
        """The prompt with as many turns as leave room for the answer, oldest dropped first."""
        room = self.session.n_ctx - reserve
        prompt = self._compose(question, self.turns)
        if self.session.count_cells(prompt.parts) < room:
            return prompt, ()
        alone = self.session.count_cells(self._compose(question, ()).parts)
        if alone >= room:
            raise ResourceError(
                f"the question does not fit the context of {self.session.n_ctx} cells "
                "beside the video",
                hint="ask something shorter, or start again with fewer --frames",
            )
        # After a turn is forgotten all later ones are prefilled again: make room for several.
        dropped, limit = 0, (alone + room) // 2
        while self.turns and self.session.count_cells(prompt.parts) > limit:
            del self.turns[0]
            dropped += 1
            prompt = self._compose(question, self.turns)
        self.n_dropped += dropped
        earlier = "turn was" if dropped == 1 else "turns were"
        return prompt, (f"{dropped} earlier {earlier} forgotten to fit the context",)

    def _compose(self, question: str, turns: Sequence[Turn]) -> Prompt:
        shown = compose_arranged(
            self.session.profile,
            self.watched.images,
            self.watched.arranger,
            duration=self.video.duration,
        )
        spoken: list[tuple[str, tuple[Part, ...]]] = []
        for turn in turns:
            spoken.append(("user", (TextPart(turn.question),)))
            spoken.append(("assistant", (TextPart(turn.answer),)))
        spoken.append(("user", (TextPart(question),)))
        return compose_prompt(self.session, spoken, shown, label=name_video(self.video))
