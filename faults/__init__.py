"""Breaks things while outreaches are posted, and holds what was acknowledged against the database afterwards.

`python -m faults` runs it: real gunicorn and packaged mongod processes on loopback, one row of a table for each fault
and deployment. An answer of 200 is a promise: nothing of it may be lost or doubled, whatever is killed, frozen or full.
For Linux: children of a process are read from /proc.
"""
