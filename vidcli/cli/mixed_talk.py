"""`vidcli chat --mode`: what is gathered before the first question is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcli.cli import asking
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Looking
from vidcli.cli.mixing import SAYS_NOTHING, make_tools
from vidcli.cli.speech import AUTO, NONE, check_subtitles
from vidcli.cli.watching import plan_video
from vidcli.cli.written import write_file
from vidcli.core.protocols import Progress
from vidcli.core.results import Approach, Timings, VideoReport
from vidcli.core.sampling import Sampling
from vidcli.core.summary import TracedStep
from vidcli.core.tool_text import Mode, ToolSection
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.methods.mixed import Mixing

ANSWER = "answer"  # the step after which a trace is complete


@dataclass(frozen=True, slots=True)
class Wish:
    """What `--mode` and its like ask for."""

    mode: Mode
    subtitles: str
    trace: Path | None

    @property
    def options(self) -> Mapping[str, str]:
        """The same as parameters of the method `hybrid`."""
        return {"mode": self.mode.value, "speech": self.subtitles, "screen": AUTO}


@dataclass(frozen=True, slots=True)
class Mixed:
    """A conversation that is ready, and what was seen for it."""

    seen: asking.Look
    conversation: "Mixing"

    def say_sections(self) -> list[str]:
        """What each tool found, a line each."""
        return [say_section(section) for section in self.conversation.found.sections]


def settle_mixing(mode: Mode | None, subtitles: str | None, trace: Path | None) -> Wish | None:
    """What is wished of tools and frames; None where nothing is.

    Raises:
        UsageError: An option does nothing without another.
    """
    if mode is None:
        for value, option in ((subtitles, "--subtitles"), (trace, "--trace")):
            if value is not None:
                raise UsageError(f"{option} goes with --mode", hint="--mode hybrid")
        return None
    if subtitles is not None and not mode.tells:
        raise UsageError(
            "--subtitles does not go with --mode embed, which tells the model no words of tools",
            hint="--mode hybrid",
        )
    if mode.speaks_first and subtitles == NONE:
        raise UsageError(SAYS_NOTHING.format("--subtitles none"), hint="--mode embed")
    return Wish(mode, check_subtitles(subtitles or AUTO, many=False), trace)


def say_section(section: ToolSection) -> str:
    """One section for people."""
    from vidcli.output.plain import count, printable

    told = section.absent or f"{count(len(section.lines), 'line')}, by {section.tool}"
    return printable(f"{section.name}: {told}")


def open_mixing(
    wish: Wish,
    bench: Bench,
    source: Footage,
    looking: Looking,
    sampling: Sampling,
    *,
    progress: Progress,
) -> Mixed:
    """Ask the tools and look at the frames, as the mode wants it.

    Raises:
        VidcliError: The video cannot be looked at, or a tool that was named is not there.
    """
    from vidcli.methods.ask import Question
    from vidcli.methods.mixed import NAME, WORDS_SHARE, Mixing, watch_nothing
    from vidcli.methods.tool_sections import Finding, Found, find_sections

    approach = Approach(NAME, f"{NAME}:mode={wish.mode}", "", tuple(wish.options.items()))
    video, tools = asking.describe(source), make_tools(bench, source)
    record = None
    if wish.trace is not None:
        record = _record_to(wish.trace, bench, video, approach, tools["write_step"])
    question = Question("", sampling=sampling)
    plan, timings = plan_video(source, looking, progress=progress), Timings()
    reserve = max(sampling.max_tokens, bench.session.n_ctx // WORDS_SHARE)
    fit = asking.fit_question(bench, source, looking, question, reserve=reserve, plan=plan)
    found = Found()
    if wish.mode.tells:
        finding = Finding(
            session=bench.session,
            source=source,
            plan=plan,
            video=video,
            identity=bench.identity,
            sampling=sampling,
            open_store=lambda size: bench.open_store(video, size),
            pieces=tools["pieces"],
            timings=timings,
            tools=tools["choose"](wish.options),
            progress=progress,
            record=record,
        )
        found = find_sections(finding, wish.mode)
    if wish.mode.shows:
        seen = asking.look(
            bench, source, looking, question, timings=timings, progress=progress, fit=fit
        )
    else:
        warnings = (*source.info.warnings, *plan.notes)
        seen = asking.Look(video, fit, watch_nothing(found, plan.span), warnings)
    approach = replace(approach, encoded=seen.watched.encoded + found.encoded)
    conversation = Mixing(
        bench.session, wish.mode, seen.watched, found, video, approach=approach, record=record
    )
    return Mixed(seen, conversation)


def _record_to(
    path: Path,
    bench: Bench,
    video: VideoReport,
    approach: Approach,
    write_step: Callable[[TracedStep], dict[str, Any]],
) -> Callable[[TracedStep], None]:
    """What keeps every step, and writes them all to a file after each answer."""
    from vidcli.output.methods import method_trace_document

    entries: list[dict[str, Any]] = []

    def record(step: TracedStep) -> None:
        entries.append(write_step(step))
        if step.name == ANSWER:
            report = bench.session.report
            write_file(path, method_trace_document(video, "", report, approach, entries))

    return record
