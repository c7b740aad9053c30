"""`vidcli schema`: the JSON Schemas of what `--json` prints."""

from typing import Annotated

import typer

from vidcli.cli.terminal import write_document, write_out
from vidcli.errors import UsageError


def complete_name(incomplete: str) -> list[str]:
    """Names of documents, for the shell."""
    from vidcli.output.schema import list_schemas

    return [name for name in list_schemas() if name.startswith(incomplete)]


def schema(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A document.", autocompletion=complete_name),
    ] = None,
    list_all: Annotated[
        bool, typer.Option("--list", help="Name every document, one a line.")
    ] = False,
) -> None:
    """Print the JSON Schema of a document that --json writes."""
    from vidcli.output.schema import list_schemas, load_schema

    if list_all:
        write_out("".join(f"{known}\n" for known in list_schemas()))
    elif name is None:
        raise UsageError("no document named", hint="'vidcli schema --list' names them all")
    else:
        write_document(load_schema(name), indent=True)
