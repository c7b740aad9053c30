"""Python, vidcli's packages and extras, the terminal."""

import locale
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from typing import TYPE_CHECKING

from vidcli import __version__
from vidcli.core.findings import Finding, Level

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OLDEST = (3, 11)
OF_DEVELOPERS = ("test", "parity")  # extras


def check_python() -> Iterator[Finding]:
    """Which Python runs vidcli, and where both are."""
    place = os.path.dirname(os.path.dirname(__file__))
    kind = f"{platform.python_implementation()} {platform.python_version()}"
    facts = {"version": platform.python_version(), "executable": sys.executable}
    yield Finding("python", Level.OK, f"{kind}: {sys.executable}", facts=facts)
    yield Finding("vidcli", Level.OK, f"vidcli {__version__}: {place}", facts={"place": place})
    system = f"{platform.system()} {platform.release()} on {platform.machine()}"
    yield Finding("system", Level.OK, system)
    if sys.maxsize < 2**32:
        text = "this is a Python of 32 bits, in whose memory no model fits"
        yield Finding("python-bits", Level.PROBLEM, text, "install a Python of 64 bits")


def check_packages() -> Iterator[Finding]:
    """Whether every package that vidcli needs is there, in a version that it works with."""
    from packaging.requirements import Requirement

    wrong = []
    needed = [Requirement(line) for line in distribution("vidcli").requires or ()]
    for requirement in needed:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = find_version(requirement.name)
        if found is None or not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} is {found or 'missing'}, not {requirement.specifier}")
    if not wrong:
        yield Finding("packages", Level.OK, "every package is there in a version that fits")
    for text in wrong:
        yield Finding("packages", Level.PROBLEM, text, "pip install --upgrade vidcli")


def check_extras() -> Iterator[Finding]:
    """Which optional parts are installed."""
    from packaging.requirements import Requirement

    ours = distribution("vidcli")
    for extra in ours.metadata.get_all("Provides-Extra") or ():
        if extra in OF_DEVELOPERS:
            continue
        every = map(Requirement, ours.requires or ())
        needed = [item for item in every if _is_of(item, extra)]
        missing = [item.name for item in needed if find_version(item.name) is None]
        if missing:
            text = f"the extra {extra} is not installed: {', '.join(missing)}"
            remedy = f"pip install 'vidcli[{extra}]'"
            yield Finding("extra", Level.NOTE, text, remedy, {"extra": extra, "missing": missing})
        else:
            text = f"the extra {extra} is installed"
            yield Finding("extra", Level.OK, text, facts={"extra": extra, "missing": []})


def _is_of(requirement: "Requirement", extra: str) -> bool:
    """Whether a requirement is there for an extra, and not without it."""
    marker = requirement.marker
    if marker is None or marker.evaluate({"extra": ""}):
        return False
    return bool(marker.evaluate({"extra": extra}))


def find_version(name: str) -> str | None:
    """The installed version of a package; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def check_terminal(*, is_terminal: bool, has_color: bool, columns: int) -> Iterator[Finding]:
    """What the terminal can show.

    Args:
        is_terminal: Whether a person looks at standard output.
        has_color: Whether it may be coloured.
        columns: Its width.
    """
    encoding = sys.stdout.encoding or "ascii"
    kind = f"{columns} columns" if is_terminal else "no terminal"
    color = "colour" if has_color else "no colour"
    yield Finding("terminal", Level.OK, f"{kind}, {color}, {encoding}, {locale.getlocale()[0]}")
    if encoding.lower().replace("-", "") != "utf8":
        text = f"text is written as {encoding}: letters that it lacks come out as escapes"
        yield Finding("encoding", Level.NOTE, text, "export LC_ALL=C.UTF-8")
