"""`vidcli eval vcgbench`: the model answers, then a local language model scores the answers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.build import find_language, open_language
from vidcli.cli.evaluating import EvalOptions, Evaluation, Mode, Replied
from vidcli.cli.groups import Loading
from vidcli.cli.terminal import write_document, write_out, write_table
from vidcli.errors import PartialFailure, ResourceError, UsageError

if TYPE_CHECKING:
    from vidcli.core.model import LanguageFiles
    from vidcli.evaluate.predictions import Predictions
    from vidcli.evaluate.vcgbench import Case
    from vidcli.output.progress import AnyProgress

PANEL = "Benchmark"


@dataclass(frozen=True, slots=True)
class Judging:
    """The files of a benchmark, and who scores."""

    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of vcgbench: general questions, a list of {Q, A, video_name}; of mvbench: the"
            " file of a task, or the folder of all.",
            rich_help_panel=PANEL,
        ),
    ] = None
    temporal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Of vcgbench: questions about time.", rich_help_panel=PANEL
        ),
    ] = None
    consistency: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of vcgbench: pairs of wordings, {Q1, Q2, A, video_name}.",
            rich_help_panel=PANEL,
        ),
    ] = None
    videos: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Of the benchmark's videos; each file's own folder otherwise.",
            rich_help_panel=PANEL,
        ),
    ] = None
    judge: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="The language model that scores the answers; it need not see.",
            rich_help_panel=PANEL,
        ),
    ] = None

    @property
    def given(self) -> list[str]:
        """Options that say something."""
        names = ("data", "temporal", "consistency", "videos", "judge")
        return [f"--{name}" for name in names if getattr(self, name) is not None]


def evaluate_vcgbench(
    judging: Judging, options: EvalOptions, mode: Mode, predictions: Path | None, limit: int
) -> None:
    """Ask every question, have every answer scored, and write the scores.

    Raises:
        UsageError: There is no file or no judge, or a row is wrong.
        PartialFailure: Some videos failed; what rests on them is not scored.
    """
    from vidcli.evaluate.predictions import Predictions
    from vidcli.evaluate.vcgbench import (
        NAME,
        Files,
        doubt_judge,
        list_questions,
        read_cases,
        score_aspects,
    )
    from vidcli.output.progress import open_progress

    if judging.judge is None:
        raise UsageError("nobody is named to score the answers", hint="--judge MODEL")
    files = Files(judging.data, judging.temporal, judging.consistency)
    cases = read_cases(files, judging.videos, limit=limit)
    questions = list_questions(cases)
    telling = options.telling
    path = predictions or Path(f"{NAME}-predictions.jsonl")
    loading = replace(options.loading, model=judging.judge, mmproj=None, lora=None, lora_scale=1.0)
    judge = find_language(loading, notes=telling.notes)
    for text in judge.doubts:
        telling.notes.warn(text)
    try:
        with Predictions(path) as kept, open_progress(quiet=telling.quiet) as progress:
            with Evaluation(options, kept) as evaluation:
                warnings = evaluation.find_leaks(questions)
                for text in warnings:
                    telling.notes.warn(text)
                replied = evaluation.run(questions, mode, progress)
                model = {"name": evaluation.name, "sha256": evaluation.digests}
            scored = Scoring(loading, options, judge, kept).score(cases, replied, progress)
    except KeyboardInterrupt:
        telling.notes.tell(f"replies and scores so far are kept in {path}")
        raise
    except OSError as error:
        raise ResourceError(
            f"cannot keep replies in {path}: {error.strerror or error}",
            hint="name another file with --predictions",
        ) from error
    from vidcli.output.vcgbench import aspect_table, name_judge, vcgbench_document

    scores, doubts = score_aspects(scored), doubt_judge(scored)
    for text in doubts:
        telling.notes.warn(text)
    if telling.json:
        write_document(
            vcgbench_document(
                scores,
                files={
                    name: None if file is None else str(file)
                    for name, file in (
                        ("general", files.general),
                        ("temporal", files.temporal),
                        ("consistency", files.consistency),
                    )
                },
                shown=mode.value,
                model=model,
                judge={"name": judge.name, "sha256": judge.weights_sha256},
                settings={"max_tokens": options.max_tokens, "instruction": options.instruction},
                failed=replied.failed,
                predictions=str(path),
                warnings=(*warnings, *doubts),
            )
        )
    else:
        columns, rows = aspect_table(scores)
        write_table(rows, columns=columns, right=range(1, len(columns)))
        write_out(f"{name_judge(judge.name, judge.weights_sha256)}\n")
    if replied.failed:
        total = len({question.video for question in questions})
        raise PartialFailure(
            f"{replied.failed} of {total} videos failed; what rests on them is not scored"
        )


class Scoring:
    """The judge at work; scores are kept beside the replies, and a case is scored once.

    Args:
        loading: How the judge is loaded, if there is anything to score.
        options: Of the evaluation.
        judge: Its files.
        kept: Where scores are kept.
    """

    def __init__(
        self, loading: Loading, options: EvalOptions, judge: "LanguageFiles", kept: "Predictions"
    ) -> None:
        self._loading = loading
        self._options = options
        self._judge = judge
        self._kept = kept

    def score(
        self, cases: "Sequence[Case]", replied: Replied, progress: "AnyProgress"
    ) -> "list[tuple[Case, int]]":
        """Scores of every case all of whose questions were answered."""
        from vidcli.methods.judge import judge_case, read_score

        replies = {question.id: made.reply for question, made in replied.replies}
        ready = [case for case in cases if all(q.id in replies for q in case.questions)]
        answered = [[replies[q.id] for q in case.questions] for case in ready]
        keys = [self._key(case, said) for case, said in zip(ready, answered, strict=True)]
        todo = [n for n, key in enumerate(keys) if self._kept.find(key) is None]
        if todo:
            with open_language(
                self._loading, notes=self._options.telling.notes, files=self._judge
            ) as session:
                for done, n in enumerate(todo):
                    progress("judge", done, len(todo))
                    started = time.perf_counter()
                    score = judge_case(session, ready[n], answered[n])
                    self._keep(keys[n], ready[n], score, time.perf_counter() - started)
        found = [self._kept.find(key) for key in keys]
        return [
            (case, read_score(kept.reply))
            for case, kept in zip(ready, found, strict=True)
            if kept is not None
        ]

    def _key(self, case: "Case", replies: Sequence[str]) -> str:
        from vidcli.library.journal import digest_settings
        from vidcli.methods.judge import VERSION, write_judgement

        shaped = {
            "task": "judge",
            "version": VERSION,
            "judge": self._judge.weights_sha256,
            "n_ctx": self._loading.n_ctx,
            "asked": write_judgement(case, replies),
        }
        return digest_settings(shaped)

    def _keep(self, key: str, case: "Case", score: int, seconds: float) -> None:
        import json

        from vidcli.evaluate.predictions import Prediction

        name = f"{case.aspect.value}: {', '.join(q.id for q in case.questions)}"
        reply = json.dumps({"score": score})
        self._kept.add(Prediction(key, name, reply, round(seconds, 4), 0, 0, "stop"))
