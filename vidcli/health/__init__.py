"""Is this installation able to work? One function for each thing that is looked at.

examine    every check by itself: one that fails is a finding, not an end
setup      Python, packages, extras, terminal       settings    the settings file and variables
native     llama.cpp, FFmpeg, OpenCV, each asked in a process of its own (child)
machine    processor, memory       places    directories, disk, caches, the run journal
models     installed models, and the one that would run       network    offline, proxies, the hub
"""
