"""The `vidcli` script, and `python -m vidcli`."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command; Ctrl-C ends it without a traceback even while it is being imported."""
    try:
        from vidcli.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
