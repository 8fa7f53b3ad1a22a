"""The benchmark suite: the Record Outreach Helper beside a bare Flask floor and beside Eve, and what workers deliver.

`python -m bench` runs it. Every contender is served by gunicorn with the same workers and threads, writes with the
same durability to the same journaled mongod, and gets the same load from wrk. For Linux: memory and
processor time are read from /proc.
"""
