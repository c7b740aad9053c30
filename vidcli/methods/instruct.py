"""Instructions about a video from what is known of it in words: a description, then questions.

Three steps with a language model that sees no picture: it writes a description that the sources
agree with, then questions of several kinds with their answers under a grammar, then says of every
answer whether it follows from the sources. What does not is left out.

Source: Video-ChatGPT (arXiv:2306.05424), semi-automatic annotation; VideoChat (arXiv:2305.06355),
instruction data. There GPT-3.5 writes and a person or a prompt filters; here a local model does
both, and its yes or no is read as a probability.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from vidcli.core.prompt import Part, Prompt, TextPart
from vidcli.core.protocols import TextSession
from vidcli.core.results import FinishReason, Generation
from vidcli.core.sampling import Sampling
from vidcli.engine.grammar import schema_to_gbnf
from vidcli.methods.ask import score_choices
from vidcli.methods.context import Context, Note, fit_context
from vidcli.methods.sift import find_words, is_among, refuses, repeats_itself
from vidcli.methods.wishes import (
    ASK_DESCRIPTION,
    DESCRIBE,
    FOLLOWS,
    PAIRS,
    QUESTION_CHARS,
    WISHES,
    Task,
    leaks,
    pairs_schema,
    read_pairs,
    whole_sentences,
)

PAIR_TOKENS = 24  # of a pair besides its texts: braces, names, quotes
CHECK_CELLS = 64  # of the question whether an answer follows, besides question and answer


class Drop(StrEnum):
    """Why an instruction is left out."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    LOOP = "loop"
    REFUSAL = "refusal"
    LEAK = "leak"
    DUPLICATE = "duplicate"
    INCONSISTENT = "inconsistent"


@dataclass(frozen=True, slots=True)
class Instructing:
    """How instructions are made.

    Attributes:
        tasks: Kinds of questions.
        per_task: Questions of each kind.
        answer_chars: Longest answer, in characters.
        min_agreement: Least probability that an answer follows from the sources.
        similarity: From 0 to 1: questions at least this alike are one and the same.
        sampling: How to write; `max_tokens` is the longest description.
    """

    tasks: tuple[Task, ...] = tuple(WISHES)
    per_task: int = 3
    answer_chars: int = 600
    min_agreement: float = 0.5
    similarity: float = 0.8
    sampling: Sampling = field(default_factory=lambda: Sampling(max_tokens=512))

    @property
    def reply_tokens(self) -> int:
        """Longest reply with questions, where every letter is a token: its grammar ends it."""
        question = min(QUESTION_CHARS, self.answer_chars)
        return self.per_task * (question + self.answer_chars + PAIR_TOKENS) + PAIR_TOKENS


@dataclass(frozen=True, slots=True)
class Instruction:
    """A question about a video with its answer.

    Attributes:
        task: Its kind.
        question: What is asked.
        answer: What is answered.
        agreement: Probability that the answer follows from the sources; None where it was left
            out before that was asked.
        drop: Why it is left out; None where it is kept.
    """

    task: Task
    question: str
    answer: str
    agreement: float | None = None
    drop: Drop | None = None


@dataclass(frozen=True, slots=True)
class Instructed:
    """What was made of one video.

    Attributes:
        instructions: All of them, those left out too, in the order they were written.
        sources: How many notes of each kind the model was shown.
        left_out: Notes that did not fit the context.
    """

    instructions: tuple[Instruction, ...]
    sources: Mapping[str, int]
    left_out: int

    @property
    def kept(self) -> tuple[Instruction, ...]:
        """Those that are of use."""
        return tuple(found for found in self.instructions if found.drop is None)


def instruct(
    session: TextSession,
    notes: Sequence[Note],
    instructing: Instructing,
    *,
    fingerprint: str,
    progress: Callable[[int, int], None] | None = None,
) -> Instructed:
    """Make instructions about one video.

    The same notes of the same video give the same, whatever was done before.

    Args:
        session: A loaded language model; its context is emptied first.
        notes: What is known of the video, from `order_notes`; at least one.
        instructing: How.
        fingerprint: Of the video's content: part of every seed.
        progress: Told of steps done and steps in all.

    Raises:
        ResourceError: The context is too small for any of it.
    """
    writing = _Writing(session, instructing, fingerprint)
    context = fit_context(session, notes, room=writing.room())
    session.forget()
    steps = 1 + len(instructing.tasks)
    writing.describe(context)
    for number, task in enumerate(instructing.tasks, start=1):
        if progress:
            progress(number, steps)
        writing.ask(context, task)
    if progress:
        progress(steps, steps)
    sources = Counter(note.kind.value for note in context.notes)
    return Instructed(tuple(writing.instructions), sources, context.left_out)


class _Writing:
    """The instructions of one video while they are made."""

    def __init__(self, session: TextSession, instructing: Instructing, fingerprint: str) -> None:
        self._session = session
        self._instructing = instructing
        self._fingerprint = fingerprint
        self._description = ""
        self.instructions: list[Instruction] = []

    def room(self) -> int:
        """Cells for what is known of the video, beside the longest prompt and its reply."""
        wishes = [DESCRIBE, *(self._wish(task) for task in self._instructing.tasks)]
        wish = max(self._session.count_cells(self._turn("", text)) for text in wishes)
        longest = self._instructing.sampling.max_tokens
        answer = QUESTION_CHARS + self._instructing.answer_chars
        checked = max(longest, answer)
        asked = longest + self._reply_tokens
        return self._session.n_ctx - wish - CHECK_CELLS - max(checked, asked)

    @property
    def _reply_tokens(self) -> int:
        return min(self._instructing.reply_tokens, self._session.n_ctx // 3)

    def describe(self, context: Context) -> None:
        """Write the description, and take it for an answer if it passes."""
        parts = self._turn(context.write(), DESCRIBE)
        made = self._write(parts, self._instructing.sampling, Task.DESCRIPTION.value)
        text = " ".join(made.text.split())
        drop = Drop.LOOP if made.finish is FinishReason.LOOP else None
        if made.finish in (FinishReason.LENGTH, FinishReason.CONTEXT):
            whole = whole_sentences(text)
            drop, text = (None, whole) if whole else (Drop.TRUNCATED, text)
        number = self._seed("question") % len(ASK_DESCRIPTION)
        self._judge(
            context, Instruction(Task.DESCRIPTION, ASK_DESCRIPTION[number], text, drop=drop)
        )
        if self.instructions[-1].drop is None:
            self._description = text

    def ask(self, context: Context, task: Task) -> None:
        """Write questions of one kind with their answers, and judge each."""
        known = f"A description of the video: {self._description}\n" if self._description else ""
        grammar = schema_to_gbnf(self._schema(task))
        sampling = replace(
            self._instructing.sampling, max_tokens=self._reply_tokens, grammar=grammar
        )
        parts = self._turn(context.write(), f"{known}{self._wish(task)}")
        made = self._write(parts, sampling, task.value)
        pairs, is_cut = read_pairs(made.text)
        for question, answer in pairs:
            self._judge(context, Instruction(task, question, answer))
        if is_cut:
            self.instructions.append(Instruction(task, "", made.text, drop=Drop.TRUNCATED))

    def _judge(self, context: Context, found: Instruction) -> None:
        drop = found.drop or self._find_fault(found)
        if drop is not None:
            self.instructions.append(replace(found, drop=drop))
            return
        line = json.dumps({"question": found.question, "answer": found.answer}, ensure_ascii=False)
        parts = self._turn(context.write(), FOLLOWS.format(line=line))
        prefix = self._session.prefill(Prompt(parts))
        yes, _ = score_choices(self._session, prefix, ("yes", "no"))
        agreement = round(yes.probability, 6)
        is_kept = agreement >= self._instructing.min_agreement
        self.instructions.append(
            replace(found, agreement=agreement, drop=None if is_kept else Drop.INCONSISTENT)
        )

    def _find_fault(self, found: Instruction) -> Drop | None:
        """Why an instruction is of no use, as far as that shows without the sources."""
        if not find_words(found.question) or not find_words(found.answer):
            return Drop.EMPTY
        if repeats_itself(found.question) or (
            found.task is not Task.DESCRIPTION and repeats_itself(found.answer)
        ):
            return Drop.LOOP
        if refuses(found.answer):
            return Drop.REFUSAL
        if leaks(found.question) or leaks(found.answer):
            return Drop.LEAK
        asked = (before.question for before in self.instructions if before.drop is None)
        is_old = is_among(found.question, asked, similarity=self._instructing.similarity)
        return Drop.DUPLICATE if is_old else None

    def _schema(self, task: Task) -> dict[str, Any]:
        options = self._instructing
        return pairs_schema(task, count=options.per_task, answer_chars=options.answer_chars)

    def _wish(self, task: Task) -> str:
        return PAIRS.format(count=self._instructing.per_task, wish=WISHES[task])

    def _turn(self, context: str, wish: str) -> tuple[Part, ...]:
        # Two parts, so that the lines are the same tokens whatever is asked about them.
        parts = (TextPart(f"{context}\n"), TextPart(wish))
        return self._session.render_chat([("user", parts)])

    def _write(self, parts: tuple[Part, ...], sampling: Sampling, step: str) -> Generation:
        prefix = self._session.prefill(Prompt(parts))
        for _ in self._session.generate(prefix, replace(sampling, seed=self._seed(step))):
            pass
        return self._session.last_generation

    def _seed(self, step: str) -> int:
        what = f"{self._instructing.sampling.seed} {self._fingerprint} {step}"
        return int.from_bytes(hashlib.sha256(what.encode()).digest()[:4], "big")
