"""Whether what training needs is installed."""

from importlib.util import find_spec

from vidcli.errors import SetupError

NEEDED = ("torch", "transformers", "peft", "safetensors")


def require_extra() -> None:
    """Make sure that the extra `train` is there; nothing is imported.

    Raises:
        SetupError: It is not; the pip line is in the hint.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SetupError(
            f"training needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'}"
            " not installed",
            hint="pip install 'vidcli[train]'",
        )
