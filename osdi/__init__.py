"""The domain: OSDI resources, matching and merging, recording an outreach, and the store behind them.

Arrows run one way: record_outreach reaches for matching, merging, action functions and the store; resources, hal,
matching, merging and errors are pure and import neither Flask nor pymongo.
"""
