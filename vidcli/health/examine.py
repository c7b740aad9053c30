"""Runs checks one after the other; whatever one of them raises is a finding of its own."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vidcli.core.findings import Finding, Level
from vidcli.errors import VidcliError

REPORT = "report this: it is a bug of vidcli or of a library it asked"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    Attributes:
        area: What a person calls it, such as `ffmpeg`.
        run: Looks, and says what it found.
    """

    area: str
    run: Callable[[], Iterable[Finding]]


def examine(checks: Iterable[Check]) -> Iterator[tuple[str, Finding]]:
    """The findings of every check, each with its area, in order."""
    for check in checks:
        try:
            for finding in check.run():
                yield check.area, finding
        except VidcliError as error:
            hint = error.hint or ""
            yield (
                check.area,
                Finding(_name(check), Level.PROBLEM, str(error), hint),
            )
        except ImportError as error:
            yield check.area, _of_import(check, error)
        except Exception as error:  # noqa: BLE001 whatever it is, the other checks go on
            text = f"it could not be checked: {type(error).__name__}: {error}"
            yield check.area, Finding(_name(check), Level.PROBLEM, text, REPORT)


def _name(check: Check) -> str:
    return check.area.lower().replace(" ", "-").replace(".", "-")


def _of_import(check: Check, error: ImportError) -> Finding:
    text = f"a package cannot be imported: {error}"
    return Finding(_name(check), Level.PROBLEM, text, "pip install --force-reinstall vidcli")
