"""Many inputs: one that fails is reported, the others are done."""

from collections.abc import Callable, Sequence

from vidcli.cli.terminal import OutputError, report_error, write_document
from vidcli.errors import ModelError, PartialFailure, SetupError, VidcliError

EVERY_INPUT = (OutputError, ModelError, SetupError)  # would fail the others just the same


def each_input(paths: Sequence[str], work: Callable[[str], None], *, json: bool) -> None:
    """Do the same work for every path, in order.

    Args:
        paths: At least one.
        work: Raises a `VidcliError` where it cannot be done.
        json: Write a document `error` to standard output for each that failed.

    Raises:
        VidcliError: The only input failed, or what failed would fail for every other too.
        PartialFailure: Some of several inputs failed; each was reported.
    """
    failed = 0
    for path in paths:
        try:
            work(path)
        except VidcliError as error:
            if len(paths) == 1 or isinstance(error, EVERY_INPUT):
                raise
            failed += 1
            report_error(str(error), error.hint)
            if json:
                from vidcli.output.documents import error_document

                write_document(error_document(path, error))
    if failed:
        raise PartialFailure(f"{failed} of {len(paths)} inputs failed; the others are done")
