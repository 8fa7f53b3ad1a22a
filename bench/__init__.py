"""Benchmarks: compares the Record Outreach Helper with a bare Flask view (the floor) and with Eve; measures workers.

`python -m bench` runs it. gunicorn serves every contender with the same number of workers and threads. Every contender
writes with the same durability to the same journaled mongod, and gets the same load from wrk. It runs on Linux only,
because it reads memory and processor time from /proc.
"""
