"""The administration: merges, erasures, deletions and imports while clients post, and the check of what they leave.

`load` does them and notes what was acknowledged. `completion` completes what was interrupted, and `leftovers` compares
the database with the notes.
"""
