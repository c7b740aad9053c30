"""Tools that look at or listen to a video without a language model, each behind one protocol.

Frames, samples and subtitles are handed in: nothing here opens a video.
"""
