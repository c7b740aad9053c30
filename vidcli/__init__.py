"""Ask questions of the videos on your own computer: offline, in one process, with the times."""

__version__ = "0.1.0"
