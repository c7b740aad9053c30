"""Results in, text out: plain tables, JSON documents and their schemas, progress lines.

Nothing here decides what is printed where; that is the command line's.
"""
