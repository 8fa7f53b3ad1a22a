"""Fault injection: breaks processes while clients post outreaches, then compares the responses with the database.

Meanwhile people are merged, erased, deleted and imported (`administration`).

`python -m faults` runs it with real gunicorn and packaged mongod processes on loopback. Each fault and deployment gives
one row of a table. A response of 200 is a promise: nothing of the post may be lost or doubled, whatever is killed,
frozen or full. It runs on Linux only, because it reads the children of a process from /proc.
"""
