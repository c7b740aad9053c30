"""The command line: the only floor that sees every other, prints, and chooses exit codes.

app       the root command, its error boundary, `main`
options   options that several commands share
terminal  standard streams: what may be written where
crash     the report kept when vidcli itself is at fault
build     opens a video and a model for a command

One file for each command beside them.
"""
