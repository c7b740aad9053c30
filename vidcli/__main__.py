"""`python -m vidcli`: the same command as the `vidcli` script."""

from vidcli.cli.app import main

if __name__ == "__main__":
    main()
