"""Benchmarks: vidcli and the usual ways, side by side in one run, as whole processes.

children      run a command and read what it cost off the operating system
comparisons   what is compared with what
moments       what `find` finds where the truth is known, and what it costs

Prints ratios and asserts nothing: machines differ and are noisy.
"""
