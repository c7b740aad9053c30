"""The settings file and the variables: right, and known?"""

import os
from collections.abc import Iterator

from vidcli import settings
from vidcli.core.findings import Finding, Level

OTHERS = ("VIDCLI_CONFIG_DIR", "VIDCLI_DEBUG")  # variables that are no settings


def check_settings() -> Iterator[Finding]:
    """What is wrong with the settings file and with `VIDCLI_*` variables."""
    file, config = settings.config_path(), settings.read_config()
    if config.problems:
        for problem in config.problems:
            text = f"{settings.name_line(problem.line)}: {problem.text}"
            yield Finding("settings-file", Level.PROBLEM, text, "vidcli config edit")
    elif file.exists():
        names = ", ".join(config.entries) or "nothing"
        yield Finding("settings-file", Level.OK, f"{file} settles {names}")
    else:
        yield Finding("settings-file", Level.OK, f"there is no {file}; defaults hold")
    yield from _check_variables()


def _check_variables() -> Iterator[Finding]:
    known = {setting.variable: key for key, setting in settings.TABLE.items()}
    given = sorted(name for name in os.environ if name.startswith(settings.ENV_PREFIX))
    fine = []
    for name in given:
        problem = settings.find(known[name]).problem if name in known else ""
        if problem:
            text = f"{name}: {problem}"
            yield Finding("variables", Level.PROBLEM, text, f"unset {name}")
        elif name in known or name in OTHERS:
            fine.append(name)
        else:
            text = f"{name} means nothing to vidcli"
            meant = settings.suggest_key(name.removeprefix(settings.ENV_PREFIX))
            yield Finding("variables", Level.NOTE, text, f"{meant}unset {name}")
    if fine:
        yield Finding("variables", Level.OK, f"set: {', '.join(fine)}", facts={"set": fine})
