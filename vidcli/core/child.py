"""How to start a process of this program that does one thing."""

import json
import sys

_START = """
import importlib, json, sys
sys.path[:] = json.loads(sys.argv[1])
importlib.import_module(sys.argv[2]).main(*map(int, sys.argv[3:]))
"""


def child_command(module: str, *numbers: int) -> list[str]:
    """The command that runs `main(*numbers)` of a module in a Python like this one.

    It imports from where this one does and from nowhere else: what lies in the current directory,
    which may be a folder of someone else's files, is no module of ours.
    """
    path = json.dumps([entry for entry in sys.path if entry])
    return [sys.executable, "-P", "-c", _START, path, module, *map(str, numbers)]
