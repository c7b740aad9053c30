"""What the methods that read captions need of the command line."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcli import settings
from vidcli.cli.build import Bench, identify
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Planning, Watching
from vidcli.cli.watching import choose_method
from vidcli.core.route import Reading
from vidcli.core.summary import TracedStep
from vidcli.errors import UsageError
from vidcli.methods.registry import AGENT, CAPTIONS, TREE

if TYPE_CHECKING:
    from vidcli.methods.ask import Question

READERS = (CAPTIONS, TREE)


def settle_reading(
    looking: Watching, prompt: Reading | None, loading: Planning, question: "Question"
) -> Watching:
    """Put `--prompt` where the method has it, and refuse what goes with no such method.

    Raises:
        UsageError: An option does nothing with this method, or contradicts it.
    """
    chosen = choose_method(looking)
    name = "" if chosen.method is None else chosen.method.name
    if name not in READERS:
        has_planner = loading.planner is not None and name != AGENT
        given = {"--prompt": prompt is not None, "--planner": has_planner}
        for option in (option for option, is_given in given.items() if is_given):
            raise UsageError(
                f"{option} goes with a method that reads text",
                hint=f"--method {CAPTIONS}, or {TREE}",
            )
    if question.cite and name in (*READERS, AGENT):
        raise UsageError(
            f"--cite does not go with --method {name}: who answers has seen no frame",
            hint="--json has what it read with its times",
        )
    if name not in READERS:
        return looking
    if prompt is None:
        return looking
    if "prompt=" in looking.method:
        raise UsageError("--prompt and the parameter prompt= say the same", hint="leave one out")
    joint = "," if ":" in looking.method else ":"
    return replace(looking, method=f"{looking.method}{joint}prompt={prompt}")


def make_tools(bench: Bench, source: Footage) -> dict[str, Any]:
    """What `vidcli.methods.reading` is handed as the tools of its work."""
    planner = bench.planner
    reads = bench.identity if planner is None else identify(planner.report)
    pieces = None if bench.tokens is None else KeptPieces(settings.state_dir(), source.fingerprint)
    return {
        "pieces": pieces,
        "planner": planner,
        "identities": (bench.identity, reads),
        "write_step": write_step,
    }


def write_step(step: TracedStep) -> dict[str, Any]:
    """A prompt and its reply, ready to be written as JSON."""
    from vidcli.output.accounts import traced_entry

    return {
        "name": step.name,
        "from_cache": step.is_kept,
        "parts": [traced_entry(part) for part in step.parts],
        "reply": step.reply,
    }


class KeptPieces:
    """Pieces of one video in the store of segments; a `core.protocols.PieceStore`.

    The store is opened for each, so that nothing is left open by a method that is stopped.

    Args:
        folder: Of the store.
        fingerprint: Of the video's content.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder
        self._fingerprint = fingerprint

    def get(self, key: str) -> dict[str, Any] | None:
        """A piece that was kept under this key."""
        from vidcli.library.segments import SegmentStore

        with SegmentStore(self._folder) as store:
            return store.of(self._fingerprint).get(key)

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a piece; a full or read-only disk is no failure, it is only not kept."""
        from vidcli.library.segments import SegmentStore

        with SegmentStore(self._folder) as store:
            store.of(self._fingerprint).put(key, value)
