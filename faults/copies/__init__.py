"""The copy of examples/sync.py while processes are killed: `python -m faults.copies`."""
