"""JSON documents of training: what a run did, and what a bundle holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from vidcli.models.bundle import Bundle
from vidcli.output.documents import Document, head


def train_document(report: Mapping[str, Any]) -> Document:
    """The document `train`: a run's report."""
    return {"schema": head("train"), **report}


def contrast_document(report: Mapping[str, Any]) -> Document:
    """The document `contrast`: what training heads for retrieval did."""
    return {"schema": head("contrast"), **report}


def world_document(report: Mapping[str, Any]) -> Document:
    """The document `train-world`: the report of a run on the drawn world."""
    return {"schema": head("train-world"), **report}


def run_document(
    recipe: str,
    folder: str,
    *,
    bundle: str,
    steps: Sequence[str],
    spent: Mapping[str, float],
    evaluations: Sequence[str],
) -> Document:
    """The document `train-run`.

    Args:
        recipe: Its name.
        folder: Of all that was made.
        bundle: Of the model.
        steps: That were asked for, in order.
        spent: Seconds of those that were done now.
        evaluations: Paths of the documents `eval`.
    """
    return {
        "schema": head("train-run"),
        "recipe": recipe,
        "folder": folder,
        "bundle": bundle,
        "steps": [
            {"step": step, "done_before": step not in spent, "seconds": spent.get(step)}
            for step in steps
        ],
        "evaluations": list(evaluations),
    }


def bundle_document(bundle: Bundle) -> Document:
    """The document `bundle`."""
    return {
        "schema": head("bundle"),
        "name": bundle.name,
        "folder": str(bundle.folder),
        "files": [
            {
                "role": role,
                "path": str(path),
                "size_bytes": path.stat().st_size,
                "sha256": bundle.sha256[role],
            }
            for role, path in bundle.files.items()
        ],
        "base": dict(bundle.base),
        "prompt_style": bundle.prompt,
        "frames": bundle.frames,
        "arrangement": bundle.arrangement,
        "history": list(bundle.history),
    }
