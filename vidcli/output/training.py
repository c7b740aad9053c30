"""JSON documents of training: what a run did, and what a bundle holds."""

from collections.abc import Mapping
from typing import Any

from vidcli.models.bundle import Bundle
from vidcli.output.documents import Document, head


def train_document(report: Mapping[str, Any]) -> Document:
    """The document `train`: a run's report."""
    return {"schema": head("train"), **report}


def contrast_document(report: Mapping[str, Any]) -> Document:
    """The document `contrast`: what training heads for retrieval did."""
    return {"schema": head("contrast"), **report}


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
