"""`vidcli methods`: the ways to watch a video, and what each takes."""

from typing import Annotated

import typer

from vidcli.cli.options import JsonOption
from vidcli.cli.terminal import write_document, write_table


def complete_name(incomplete: str) -> list[str]:
    """Names of methods, for the shell."""
    from vidcli.methods.registry import METHODS

    return [name for name in METHODS if name.startswith(incomplete)]


def methods(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A method, to be shown with its parameters.",
            autocompletion=complete_name, show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:  # fmt: skip
    """List the ways to watch a video that --method takes, and what each costs."""
    from vidcli.methods.auto import RULES
    from vidcli.methods.registry import METHODS, find_method
    from vidcli.output.methods import COLUMNS, method_facts, method_rows, methods_document

    shown = list(METHODS.values()) if name is None else [find_method(name)]
    if json:
        write_document(methods_document(shown, [(rule.when, rule.method) for rule in RULES]))
    elif name is None:
        write_table(method_rows(shown), columns=COLUMNS)
    else:
        write_table(method_facts(shown[0]))
