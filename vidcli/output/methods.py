"""Ways to watch a video: as documents for programs, as rows and paragraphs for people."""

from collections.abc import Sequence
from typing import Any

from vidcli.core.method import Method, Option
from vidcli.core.model import ModelReport
from vidcli.core.results import Approach, VideoReport
from vidcli.output.documents import Document, approach_entry, head, model_entry, video_entry

COLUMNS = ("method", "idea", "cost")
Rule = tuple[str, str]
"""When `auto` takes a method, and which."""


def methods_document(methods: Sequence[Method], rules: Sequence[Rule]) -> Document:
    """The document `methods`.

    Args:
        methods: In the order shown.
        rules: The table of `auto`.
    """
    return {
        "schema": head("methods"),
        "methods": [_entry(method) for method in methods],
        "auto": [{"when": when, "method": name} for when, name in rules],
    }


def _entry(method: Method) -> Document:
    return {
        "name": method.name,
        "idea": method.idea,
        "paper": method.paper,
        "differs": method.differs or None,
        "cost": method.cost,
        "needs": list(method.needs),
        "options": [
            {
                "key": option.key,
                "default": option.default,
                "help": option.help,
                "choices": list(option.choices),
            }
            for option in method.options
        ],
    }


def method_rows(methods: Sequence[Method]) -> list[tuple[str, str, str]]:
    """One row for each method, in the columns of `COLUMNS`."""
    return [(method.name, method.idea, method.cost) for method in methods]


def method_facts(method: Method) -> list[tuple[str, str]]:
    """One method for people, as (name, value)."""
    facts = [("method", method.name), ("idea", method.idea), ("paper", method.paper)]
    facts += [("differs", method.differs)] if method.differs else []
    facts.append(("cost", method.cost))
    facts += [("needs", need) for need in method.needs] or [("needs", "any model that sees")]
    return facts + [("option", _say_option(option)) for option in method.options]


def _say_option(option: Option) -> str:
    among = f" One of {', '.join(option.choices)}." if option.choices else ""
    return f"{option.key}={'…' if option.default == '' else option.default}: {option.help}" + among


def method_trace_document(
    video: VideoReport,
    question: str,
    model: ModelReport,
    approach: Approach,
    steps: Sequence[dict[str, Any]],
) -> Document:
    """The document `method-trace`."""
    return {
        "schema": head("method-trace"),
        "video": video_entry(video),
        "question": question,
        "model": model_entry(model),
        "approach": approach_entry(approach),
        "steps": list(steps),
    }
