"""Which ONNX file a tool runs on: named, or the one that is installed and made for it."""

from dataclasses import dataclass
from pathlib import Path

from vidcli.core.catalog import InstalledModel, Kind
from vidcli.core.onnx_header import OnnxRole, read_onnx_header
from vidcli.errors import ModelError
from vidcli.models.catalog import find_model
from vidcli.models.pull import ONNX_SUFFIX, hint_names
from vidcli.models.registry import find_installed, list_installed

KNOWN = {OnnxRole.DETECTOR: "yolox-s", OnnxRole.FACES: "yunet"}
"""The catalog's model for each role; none is known for clips that the hub is sure to hold."""


@dataclass(frozen=True, slots=True)
class ToolFile:
    """Whether a tool can run.

    Attributes:
        role: What the file is to do.
        name: Under which it is installed; empty where none is.
        path: The file; None where there is none.
        reason: Why there is none, one sentence; empty where there is one.
        remedy: The command that brings it.
    """

    role: OnnxRole
    name: str = ""
    path: Path | None = None
    reason: str = ""
    remedy: str = ""


def find_tool_file(role: OnnxRole) -> ToolFile:
    """The installed file for a role: the catalog's own first, then any other by name.

    Raises:
        ModelError: The list of models is damaged.
    """
    models = [model for model in list_installed() if model.kind is Kind.ONNX]
    models.sort(key=lambda model: (model.name != KNOWN.get(role), model.name))
    gone = ""
    for model in models:
        found = _role_of(model)
        if found is role:
            return ToolFile(role, model.name, model.weights)
        if found is None and model.name == KNOWN.get(role):
            gone = f"the file of {model.name} is gone or damaged"
    reason = gone or f"no {role} is installed"
    return ToolFile(role, reason=reason, remedy=say_remedy(role))


def say_remedy(role: OnnxRole) -> str:
    """What to type to get a file for a role."""
    known = KNOWN.get(role)
    if known is not None:
        return f"vidcli models pull {known}"
    return "vidcli models add NAME --model FILE.onnx"


def choose_tool_file(role: OnnxRole, named: str | None, *, option: str = "--model") -> Path:
    """The file for a role that a command line names, or the installed one.

    Args:
        role: What it is to do.
        named: A file, or the name of an installed model; None for the installed one.
        option: That names it.

    Raises:
        ModelError: There is none.
    """
    if named is None:
        found = find_tool_file(role)
        if found.path is None:
            raise ModelError(found.reason, hint=f"{found.remedy}; or {option} FILE.onnx")
        return found.path
    path = Path(named).expanduser()
    if "/" in named or named.casefold().endswith(ONNX_SUFFIX):
        return path
    model = find_installed(named)
    if model is not None:
        if model.kind is not Kind.ONNX:
            raise ModelError(
                f"{model.name} is a {model.kind.value} model, not a {role} in an ONNX file",
                hint="'vidcli models list' shows which are",
            )
        return model.weights
    if path.exists():
        return path
    if find_model(named) is not None:
        raise ModelError(f"{named} is not installed", hint=f"vidcli models pull {named}")
    others = tuple(one.name for one in list_installed())
    raise ModelError(f"there is no model and no file {named}", hint=hint_names(named, others))


def _role_of(model: InstalledModel) -> OnnxRole | None:
    """What an installed file is made for; None where it cannot be read."""
    try:
        return read_onnx_header(model.weights).role
    except (OSError, ValueError):
        return None
