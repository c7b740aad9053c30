"""Importing libraries of the extras: what is missing is named, and nothing asks the network."""

import importlib
import os
import socket
from types import ModuleType

from vidcli.errors import SetupError


def import_extra(*names: str, extra: str, purpose: str) -> ModuleType:
    """Import modules that an extra brings; the last one is returned.

    `urllib3`, which some of them import, opens a socket when it is imported, to find out whether
    there is IPv6. It does not while Python says that there is none. `onnxruntime` (1.31 on Linux)
    sends telemetry from a thread of its own, seconds later; only this variable, set before it is
    imported, stops it: `disable_telemetry_events` comes too late.

    Raises:
        SetupError: One is missing; it names the line that installs it.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    had_ipv6 = socket.has_ipv6
    socket.has_ipv6 = False
    try:
        return [importlib.import_module(name) for name in names][-1]
    except ImportError as error:
        raise missing_extra(extra, purpose, str(error)) from error
    finally:
        socket.has_ipv6 = had_ipv6


def missing_extra(extra: str, purpose: str, cause: str) -> SetupError:
    """The error of work that needs an extra which is not installed."""
    return SetupError(
        f"{purpose} needs the extra '{extra}': {cause}", hint=f"pip install 'vidcli[{extra}]'"
    )
