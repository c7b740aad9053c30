"""Which method `--method auto` takes: a table, read from the top; the first row that holds counts.

`docs/methods.md` shows the same table.
"""

RULES = (("always", "uniform"),)
