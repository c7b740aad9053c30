"""The command line: the only floor that sees every other, prints, and chooses exit codes.

app       the root command, its error boundary, `main`
options   options that several commands share
terminal  standard streams: what may be written where
crash     the report kept when vidcli itself is at fault
groups    groups of options that several commands take
footage   videos, opened in a process of their own, and which instants to look at
build     a loaded model and its caches

One file for each command beside them.
"""
