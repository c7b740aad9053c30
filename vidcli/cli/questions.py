"""The task of `ask`, `caption` and `check`: one question to every video."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidcli.cli import asking
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Looking, Telling, Watching
from vidcli.cli.rehearse import rehearse, write_trace
from vidcli.cli.speech import digest_speech
from vidcli.cli.tasks import Job, Made, StartDecoding, Task
from vidcli.cli.watching import answer_by_work, choose_method, plan_video
from vidcli.core.protocols import Progress
from vidcli.core.results import Answer
from vidcli.errors import VidcliError
from vidcli.methods.registry import HYBRID
from vidcli.output.documents import Document, answer_document, caption_document

if TYPE_CHECKING:
    from vidcli.core.media import FramePlan
    from vidcli.methods.ask import Question
    from vidcli.methods.watch import Fit


@dataclass(frozen=True, kw_only=True)
class Asking(Task):
    """One question to any number of videos.

    Attributes:
        question: What the model is asked.
        make_document: Makes the JSON document of an answer.
    """

    question: "Question"
    make_document: Callable[[Answer], Document] = answer_document

    @property
    def worded(self) -> "Question":
        """The question in the words that are asked for."""
        if isinstance(self.looking, Watching):
            return dataclasses.replace(self.question, style=self.looking.prompt_style.value)
        return self.question

    def word(self, bench: Bench) -> "Question":
        """The question in the words that are asked for, or else in those that the model knows."""
        return bench.word(self.worded)

    def describe(self) -> dict[str, Any]:
        """Everything of the question that shapes an answer."""
        told = dataclasses.asdict(self.question)
        return {"question": {**told, "choices": list(self.question.choices)}}

    def digest_beside(self, path: str) -> str:
        """Names the subtitles that a method which tells them may read."""
        chosen = choose_method(self.looking)
        is_told = chosen.method is not None and chosen.method.name == HYBRID
        return digest_speech(path, str(chosen.options["speech"])) if is_told else ""

    def plan(self, source: Footage, *, progress: Progress | None = None) -> "FramePlan":
        """Choose the frames to look at."""
        return plan_video(source, self.looking, progress=progress)

    def begin(
        self, bench: Bench, source: Footage, plan: "FramePlan", *, start: StartDecoding
    ) -> "Fit | None":
        """Fit the frames to the context and begin to decode those that no cache holds."""
        from vidcli.methods.recipe import Recipe
        from vidcli.methods.watch import find_unencoded

        if choose_method(self.looking).runs:
            return None
        try:
            fit = asking.fit_question(bench, source, self.looking, self.word(bench), plan=plan)
        except VidcliError:
            return None  # is raised again when its turn comes
        recipe = fit.recipe or Recipe()
        video = asking.describe(source)
        with bench.open_store(video, fit.size, recipe.store_name) as store:
            todo = find_unencoded(fit.plan, recipe.encoder(bench.session, fit), store)
        if todo is not None:
            start(todo, size=fit.size)
        return fit

    def answer(self, job: Job) -> Made:
        """Ask the question about one video."""
        if choose_method(self.looking).runs:
            answer = answer_by_work(job, self.looking, self.word(job.bench))
            return self._made(answer)
        bench, source = job.bench, job.source
        fit = job.fit or asking.fit_question(
            bench, source, self.looking, self.word(bench), progress=job.progress, plan=job.plan
        )
        job.look_ahead()
        return self._made(self.reply(job, fit))

    def reply(self, job: Job, fit: "Fit") -> Answer:
        """Look at what fits the context, and answer."""
        return asking.answer_question(
            job.bench,
            job.source,
            self.looking,
            self.word(job.bench),
            started=job.started,
            progress=job.progress,
            write=job.write,
            fit=fit,
            once_seen=lambda seen: self._go_on(job, seen),
        )

    def _made(self, answer: Answer) -> Made:
        from vidcli.output.tables import say_evidence

        return Made(
            document=self.make_document(answer),
            evidence=say_evidence(answer),
            warnings=answer.warnings,
            details=asking.list_details(answer),
        )

    def _go_on(self, job: Job, seen: asking.Look) -> None:
        """What waits only for a video to be seen."""
        if job.trace is not None:
            write_trace(job.trace, job.bench, seen, self.word(job.bench))
        job.look_ahead()

    def rehearse(
        self, bench: Bench, source: Footage, telling: Telling, progress: Progress | None = None
    ) -> None:
        """Say what the answer would take."""
        rehearse(bench, source, self.looking, self.word(bench), telling)


def caption_task(question: "Question", looking: Looking) -> Asking:
    """The task of `vidcli caption`."""
    return Asking(
        name="caption", question=question, looking=looking, make_document=caption_document
    )
