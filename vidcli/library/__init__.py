"""What is known of videos from one run to the next, in SQLite.

`journal`: what runs over many videos have done, so that a killed one goes on where it was.
"""
