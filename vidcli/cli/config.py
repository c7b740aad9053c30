"""`vidcli config`: what was settled for good, where each value comes from, and changing it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from vidcli import settings
from vidcli.cli import config_file
from vidcli.cli.options import JsonOption
from vidcli.cli.terminal import (
    Notes,
    is_terminal,
    report_error,
    write_document,
    write_path,
    write_table,
)
from vidcli.core.setting import MODEL, Setting
from vidcli.core.toml_file import TomlError, parse_toml
from vidcli.errors import ExitCode, UsageError, VidcliError


def _complete_key(incomplete: str) -> list[tuple[str, str]]:
    found = (setting for key, setting in settings.TABLE.items() if key.startswith(incomplete))
    return [(setting.key, setting.help) for setting in found]


KeyArgument = Annotated[
    str,
    typer.Argument(metavar="KEY", help="A setting, such as n_ctx.", autocompletion=_complete_key),
]


def path() -> None:
    """Print where the settings file is, whether or not it is there."""
    write_path(str(settings.config_path()))


def show(json: JsonOption = False) -> None:
    """Show every setting, what it is now, and where that comes from.

    A flag goes before a variable, a variable before the file, the file before the default. Exit
    code 2 where something is wrong with the file or a variable.
    """
    from vidcli.output.settings import COLUMNS, settings_document, settings_rows

    kept = [settings.find(key) for key in settings.TABLE]
    config, file = settings.read_config(), settings.config_path()
    if json:
        write_document(settings_document(kept, file=file, problems=config.problems))
    else:
        write_table(settings_rows(kept, file=file), columns=COLUMNS)
        there = "" if file.exists() else ", which is not there yet"
        Notes().tell(f"the file is {file}{there}; 'vidcli config set KEY VALUE' writes to it")
    for problem in config.problems:
        report_error(f"{settings.name_line(problem.line)}: {problem.text}", problem.hint)
    bad = [item for item in kept if item.problem and item.source is settings.Source.ENVIRONMENT]
    for item in bad:
        report_error(f"{item.where}: {item.problem}", item.hint)
    if bad or config.problems:
        raise typer.Exit(ExitCode.USAGE)


def get(key: KeyArgument) -> None:
    """Print what a setting is now.

    Prints nothing and ends with 1 where it is decided case by case, such as the model.
    """
    from vidcli.output.settings import write_value

    found = settings.find(_find_setting(key).key)
    if found.source is not settings.Source.ENVIRONMENT:
        settings.read_config().require_whole()
    if found.value is None:
        raise typer.Exit(ExitCode.NEGATIVE)
    write_path(write_value(found.written))


def set_value(
    key: KeyArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="As the option takes it.")],
) -> None:
    """Settle a value for good; comments and order of the file are kept."""
    from vidcli.output.settings import write_value

    setting = _find_setting(key)
    if setting.kind is MODEL and _is_only_a_file(value):
        value = os.path.abspath(value)
    try:
        written = setting.write(value)
    except ValueError as error:
        raise UsageError(f"{key} = {value!r} {error}", hint=_hint_of(setting)) from error
    config_file.set_key(setting.key, written)
    Notes().tell(f"{setting.key} = {write_value(written)} in {settings.config_path()}")
    _warn_of(setting, str(written))


def unset(
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY", help="What is to be taken out.", autocompletion=_complete_key
        ),
    ],
) -> None:
    """Take a key out of the file, so that the default holds again."""
    if config_file.unset_key(key):
        Notes().tell(f"{key} is taken out of {settings.config_path()}")
        return
    _find_setting(key)
    Notes().tell(f"{key} was not set in {settings.config_path()}")


def edit() -> None:
    """Open the file in $VISUAL or $EDITOR; what is wrong afterwards is not kept.

    A new file begins with every setting, commented out. The editor works on a copy, which replaces
    the file once it is right.
    """
    from vidcli.output.settings import write_template

    target = config_file.real_path()
    before = target.read_bytes() if target.exists() else None
    draft = config_file.write_draft(write_template().encode() if before is None else before)
    try:
        while True:
            config_file.run_editor(draft)
            problem = _check_draft(draft, config=settings.config_path())
            if problem is None or not _wants_again(problem):
                break
    except VidcliError:  # whatever else ends this, what was written stays beside the file
        draft.unlink(missing_ok=True)
        raise
    if problem is not None:
        raise UsageError(
            f"{problem}; the file is as it was, and what you wrote is in {draft}",
            hint="'vidcli config edit' begins again from the file as it was",
        )
    if draft.read_bytes() == before:
        draft.unlink()
        Notes().tell(
            "nothing is changed; an editor that does not wait needs a flag, as 'code --wait'"
        )
        return
    config_file.accept_draft(draft, before=before)
    Notes().tell(f"{settings.config_path()} is written")


COMMANDS: dict[str, Callable[..., None]] = {
    "path": path,
    "show": show,
    "get": get,
    "set": set_value,
    "unset": unset,
    "edit": edit,
}


def _find_setting(key: str) -> Setting:
    """The setting of a key, however a person separates its words.

    Raises:
        UsageError: There is none.
    """
    setting = settings.TABLE.get(key.strip().lower().replace("-", "_"))
    if setting is None:
        raise UsageError(
            f"there is no setting {key!r}",
            hint=f"{settings.suggest_key(key)}'vidcli config show' lists all",
        )
    return setting


def _hint_of(setting: Setting) -> str:
    if setting.choices:
        return f"one of: {', '.join(setting.choices)}"
    return f"{setting.key}: {setting.help}"


def _warn_of(setting: Setting, value: str) -> None:
    """Say what will keep a value from being used."""
    notes = Notes()
    for problem in settings.read_config().problems:
        notes.warn(f"{settings.name_line(problem.line)}: {problem.text}")
    found = settings.find(setting.key)
    if found.source is settings.Source.ENVIRONMENT:
        notes.warn(f"{found.place} is set, and goes before the file")
    if setting.kind is MODEL and not _has_model(value):
        notes.warn(f"there is no model {value} on this machine yet; 'vidcli models list' shows all")


def _is_only_a_file(value: str) -> bool:
    """Whether a value names no installed model, and a file or folder of this directory."""
    from vidcli.models.packaged import find_here

    return os.path.exists(value) and find_here(value) is None


def _has_model(value: str) -> bool:
    from vidcli.models.packaged import find_here

    return find_here(value) is not None or Path(value).expanduser().exists()


def _check_draft(draft: Path, *, config: Path) -> str | None:
    """What is wrong with an edited copy; None where nothing is."""
    try:
        problems = settings.check_entries(parse_toml(draft.read_bytes())).problems
    except TomlError as error:
        return f"{config}:{error.line}: this is no TOML: {error}"
    except OSError as error:
        return f"{draft} cannot be read: {error.strerror or error}"
    return f"{config}:{problems[0].line}: {problems[0].text}" if problems else None


def _wants_again(problem: str) -> bool:
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return False
    report_error(problem)
    return typer.confirm("Edit it again?", default=True, err=True)
