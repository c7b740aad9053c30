"""The task of `agent`: what a video can be asked, who plans, and what is told of it."""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vidcli.cli.agent_senses import find_senses
from vidcli.cli.asking import describe, describe_cost
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Telling
from vidcli.cli.speech import AUTO, NONE, digest_speech, find_speech
from vidcli.cli.tasks import Job, Made, Task
from vidcli.cli.terminal import write_document, write_table
from vidcli.cli.written import write_file
from vidcli.core.agent import TracedPrompt
from vidcli.core.protocols import Progress, TextSession
from vidcli.core.results import Timings
from vidcli.core.speech import Heard
from vidcli.core.time import Span

if TYPE_CHECKING:
    from vidcli.methods.agent.eyes import Eyes
    from vidcli.methods.agent.run import Agency, Agent

Record = Callable[[TracedPrompt], None]


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of a video before anything looks at it."""

    span: Span
    heard: Heard


@dataclass(frozen=True, kw_only=True)
class AgentTask(Task):
    """One question or goal to any number of videos.

    Attributes:
        question: Or goal.
        agency: How the agent works.
        subtitles: `auto`, `none`, `whisper` or a file.
    """

    question: str
    agency: "Agency"
    subtitles: str = AUTO
    streams: bool = False

    @property
    def speech(self) -> str:
        """Where words are read."""
        return self.subtitles

    def describe(self) -> dict[str, Any]:
        """Everything of the task that shapes an answer."""
        told = dataclasses.asdict(self.agency)
        segment = None if self.agency.segment is None else str(self.agency.segment)
        return {
            "question": self.question,
            "agency": {**told, "segment": segment},
            "subtitles": self.subtitles if self.subtitles in (AUTO, NONE) else "file",
        }

    def digest_beside(self, path: str) -> str:
        """Names the subtitles that may be read; a new or changed file makes another answer."""
        return digest_speech(path, self.subtitles)

    def plan(self, source: Footage, *, progress: Progress | None = None) -> Survey:
        """The part of the video that counts, and what is said in it."""
        from vidcli.media.plan import choose_span

        span = choose_span(source.info, start=self.looking.start, end=self.looking.end)
        return Survey(span, find_speech(source, self.subtitles, progress=progress))

    def answer(self, job: Job) -> Made:
        """Let the agent answer about one video."""
        from vidcli.output.agents import agent_document, agent_trace_document, say_agent

        prompts: list[TracedPrompt] = []
        record = prompts.append if job.trace is not None else None
        timings = Timings(load=job.bench.take_load_seconds())
        survey = job.plan or self.plan(job.source, progress=job.progress)
        planner = job.bench.planner or job.bench.session
        agent = self._make_agent(job, survey, planner, timings, record)
        try:
            result = agent.run()
        finally:
            if job.trace is not None:
                models = job.bench.session.report, planner.report
                document = agent_trace_document(
                    describe(job.source), self.question, models, prompts, agent.calls
                )
                write_file(job.trace, document)
        notes = (
            *survey.heard.notes,
            *result.warnings,
            *job.bench.all_warnings(),
            *job.bench.doubts,
            *planner.notes,
        )
        timings.total = time.perf_counter() - job.started
        result = replace(result, warnings=tuple(dict.fromkeys(notes)))
        return Made(
            document=agent_document(result),
            evidence=say_agent(result),
            warnings=result.warnings,
            details=(
                *(
                    f"{call.id} {call.tool}: {call.error or call.repeats or 'done'}"
                    for call in result.calls
                ),
                *describe_cost(result.model, result.usage, result.timings),
            ),
        )

    def _make_agent(
        self,
        job: Job,
        survey: Survey,
        planner: TextSession,
        timings: Timings,
        record: Record | None,
    ) -> "Agent":
        from vidcli.methods.agent.run import Agent

        return Agent(
            planner,
            self._eyes(job.bench, job.source, timings, job.progress, record),
            survey.span,
            self.question,
            self.agency,
            find_senses(job.source, survey.heard, survey.span, progress=job.progress),
            timings=timings,
            progress=job.progress,
            record=record,
        )

    def _eyes(
        self,
        bench: Bench,
        source: Footage,
        timings: Timings,
        progress: Progress | None,
        record: Record | None,
    ) -> "Eyes":
        from vidcli.methods.agent.eyes import Eyes

        video = describe(source)
        return Eyes(
            bench.session,
            source,
            video,
            self.agency.looking,
            lambda size: bench.open_store(video, size),
            timings,
            arranger=bench.arranger,
            familiar=bench.familiar,
            progress=progress,
            record=record,
        )

    def rehearse(
        self, bench: Bench, source: Footage, telling: Telling, progress: Progress | None = None
    ) -> None:
        """Say what the answer would take, measured on one frame."""
        from vidcli.methods.agent.forecast import forecast
        from vidcli.output.agents import AgentRehearsal, agent_plan_document, agent_plan_rows

        survey = self.plan(source, progress=progress)
        planner = bench.planner or bench.session
        senses = find_senses(source, survey.heard, survey.span, progress=progress)
        eyes = self._eyes(bench, source, Timings(), progress, None)
        cost = forecast(eyes, planner, survey.span, self.question, self.agency, senses)
        rehearsal = AgentRehearsal(
            video=describe(source),
            question=self.question,
            style=self.agency.style,
            steps=cost.steps,
            rounds=self.agency.most_rounds,
            time_limit_s=self.agency.seconds,
            frames=cost.frames,
            most_frames=cost.most_frames,
            planner_calls=cost.planner_calls,
            prompt_cells=cost.prompt_cells,
            reply_tokens=cost.reply_tokens,
            n_ctx=planner.n_ctx,
            seconds=cost.seconds,
            memory_bytes=bench.memory_bytes,
            tools=cost.tools,
            model=bench.session.report,
            planner=planner.report,
            warnings=tuple(
                dict.fromkeys((*source.info.warnings, *survey.heard.notes, *eyes.warnings))
            ),
        )
        if telling.json:
            write_document(agent_plan_document(rehearsal))
        else:
            write_table(agent_plan_rows(rehearsal))
        for warning in rehearsal.warnings:
            telling.notes.warn(warning)
