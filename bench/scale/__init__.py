"""How flat the service stays as it grows: `make bench-scale`, or `python -m bench.scale --only sizes`."""
