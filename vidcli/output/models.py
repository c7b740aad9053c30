"""What is known of models, as documents for programs and rows for people."""

from collections.abc import Sequence
from dataclasses import dataclass

from vidcli.core.catalog import InstalledModel, MemoryBill, ModelSpec
from vidcli.core.units import format_about, format_size
from vidcli.output.documents import Document, head
from vidcli.output.plain import printable

COLUMNS = ("name", "here", "size", "quant", "fits", "good at")
BRIEF = ("name", "here", "size", "good at")


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model of a list.

    Attributes:
        name: What people type.
        spec: Its entry in the catalog, where it has one.
        installed: What is on this machine of it; None where nothing is.
        bill: Memory it takes; None where it is no model to be loaded by us.
        fits: Whether that is free; None where it is not known.
    """

    name: str
    spec: ModelSpec | None
    installed: InstalledModel | None
    bill: MemoryBill | None
    fits: bool | None

    @property
    def size_bytes(self) -> int:
        """On disk where installed, else of the download, about."""
        if self.installed is not None:
            return self.installed.size_bytes
        return self.spec.bytes if self.spec else 0

    @property
    def quant(self) -> str:
        """Of the installed files, else the one that is proposed first."""
        if self.installed is not None:
            return self.installed.quant
        return self.spec.quants[0] if self.spec and self.spec.quants else ""

    @property
    def kind(self) -> str:
        """vision, embedding or onnx."""
        known = self.installed or self.spec
        return known.kind.value if known else ""


def models_document(rows: Sequence[ModelRow]) -> Document:
    """The document `models`."""
    return {"schema": head("models"), "models": [_row_entry(row) for row in rows]}


def model_document(row: ModelRow, *, memory_bytes: int | None = None) -> Document:
    """The document `model`.

    Args:
        row: The model.
        memory_bytes: What it takes, from the headers of its files; None where not read.
    """
    document = {"schema": head("model"), **_row_entry(row)}
    document["memory_bytes"] = memory_bytes or document["memory_bytes"]
    return document


def model_check_document(entries: Sequence[tuple[str, str, str | None]]) -> Document:
    """The document `model-check`.

    Args:
        entries: (model, file, what is wrong with it or None).
    """
    return {
        "schema": head("model-check"),
        "ok": all(problem is None for _, _, problem in entries),
        "files": [
            {"model": model, "path": path, "problem": problem} for model, path, problem in entries
        ],
    }


def list_row(row: ModelRow) -> tuple[str, ...]:
    """Cells of a list of what is here, in the order of `COLUMNS`."""
    fits = "" if row.fits is None else ("yes" if row.fits else "no")
    return (row.name, _say_state(row), _say_size(row), row.quant, fits, _say_strengths(row))


def brief_row(row: ModelRow) -> tuple[str, ...]:
    """Cells of a list of all there are, in the order of `BRIEF`: narrow, so that 80 columns do."""
    state = _say_state(row)
    if row.fits is False:
        state = "too big" if state == "no" else f"{state}, too big"
    return (row.name, state, _say_size(row), _say_strengths(row))


def _say_state(row: ModelRow) -> str:
    if row.installed is None:
        return "no"
    return "incomplete" if row.installed.missing else "yes"


def _say_size(row: ModelRow) -> str:
    return format_size(row.size_bytes) if row.installed else format_about(row.size_bytes)


def _say_strengths(row: ModelRow) -> str:
    return row.spec.strengths if row.spec else ""


def show_rows(row: ModelRow, *, memory_bytes: int | None) -> list[tuple[str, str]]:
    """All that is known of one model, as (name, value)."""
    spec, installed = row.spec, row.installed
    rows = [("name", row.name), ("kind", row.kind)]
    if spec is not None:
        sees = f"{spec.frame_tokens} tokens a frame" if spec.frame_tokens else "frames of any size"
        rows += [
            ("model", spec.title),
            ("good at", spec.strengths),
            ("size class", spec.size_class),
            ("repository", f"hf:{spec.repo}"),
        ]
        rows += [("sees", sees), ("hears", "yes" if spec.audio else "no")] if spec.mmproj else []
    licence = (installed.licence if installed else "") or (spec.licence if spec else "")
    rows += [("licence", printable(licence) or "unknown"), ("size", format_size(row.size_bytes))]
    if row.quant:
        rows.append(("quant", row.quant))
    memory = memory_bytes or (row.bill.total if row.bill else None)
    if memory is not None:
        fits = {True: ", fits", False: ", does not fit", None: ""}[row.fits]
        rows.append(("memory", f"{format_size(memory)}{fits}"))
    if installed is None:
        return [*rows, ("installed", "no")]
    rows += [("installed", installed.added), ("source", installed.source)]
    if installed.revision:
        rows.append(("revision", installed.revision))
    for file in installed.files:
        lost = "" if file.path.is_file() else " (missing)"
        rows.append((file.role.value, f"{printable(str(file.path))}{lost}"))
        rows.append(("sha256", file.sha256))
    return rows


def _row_entry(row: ModelRow) -> Document:
    spec, installed = row.spec, row.installed
    return {
        "name": row.name,
        "kind": row.kind,
        "installed": installed is not None,
        "complete": None if installed is None else not installed.missing,
        "size_bytes": row.size_bytes,
        "quant": row.quant or None,
        "memory_bytes": row.bill.total if row.bill else None,
        "fits": row.fits,
        "licence": (installed.licence if installed else "") or (spec.licence if spec else None),
        "source": installed.source if installed else f"hf:{spec.repo}" if spec else None,
        "revision": (installed.revision or None) if installed else None,
        "files": [
            {
                "role": file.role.value,
                "path": str(file.path),
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
            }
            for file in (installed.files if installed else ())
        ],
        "catalog": None
        if spec is None
        else {
            "title": spec.title,
            "repo": spec.repo,
            "quants": list(spec.quants),
            "size_class": spec.size_class,
            "frame_tokens": spec.frame_tokens or None,
            "strengths": spec.strengths,
            "hears": spec.audio,
        },
    }
