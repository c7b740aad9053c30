"""What is known of videos from one run to the next, in SQLite.

`journal`: what runs over many videos have done, so that a killed one goes on where it was;
`journal_care`: looking at it, and forgetting old results in it, from outside of a run.
"""
