"""The catalog of models that are known by name: `catalog.toml`, read and checked."""

import difflib
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from vidcli.core.catalog import Kind, ModelSpec

ANY_GGUF = "*.gguf"
ANY_MMPROJ = "*mmproj*.gguf"


@cache
def list_models() -> tuple[ModelSpec, ...]:
    """Every model of the catalog, in its order."""
    text = (files("vidcli.models") / "catalog.toml").read_text(encoding="utf-8")
    return tuple(_read_entry(name, entry) for name, entry in tomllib.loads(text).items())


def find_model(name: str) -> ModelSpec | None:
    """The model of this name, whatever the case; None where the catalog has none."""
    wanted = name.casefold()
    return next((spec for spec in list_models() if spec.name == wanted), None)


def close_names(name: str, others: tuple[str, ...] = ()) -> list[str]:
    """Names of the catalog, and others, that look like a mistyped one; at most three."""
    names = [spec.name for spec in list_models()] + list(others)
    return difflib.get_close_matches(name.casefold(), names, n=3)


def _read_entry(name: str, entry: dict[str, Any]) -> ModelSpec:
    kind = Kind(entry.pop("kind"))
    defaults = {
        "mmproj": ANY_MMPROJ if kind is Kind.VISION else "",
        "quants": (),
        "frame_tokens": 0,
        "kv_numbers": 0,
    }
    fields: dict[str, Any] = {**defaults, **entry}
    fields["quants"] = tuple(fields["quants"])
    fields["beside"] = tuple(fields.get("beside", ()))
    return ModelSpec(name=name, kind=kind, **fields)
