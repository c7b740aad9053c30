"""Values and pure helpers that every floor above shares: time, media, visual tokens, prompts, results.

Nothing here opens a file, a socket or a native library, and importing it loads no numpy.
"""
