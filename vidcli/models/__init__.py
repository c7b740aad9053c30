"""Models as files: what a GGUF pair is, whether it fits, and what is derived from it.

The only importer of `gguf`. Nothing here runs a model; that is `engine`'s.
"""
