"""Values and pure helpers that every floor shares: time, media, visual tokens, results.

Nothing here opens a file, a socket or a native library, and importing it loads no numpy.
"""
