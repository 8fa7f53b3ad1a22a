"""The sites whose pages show the form of a campaign in a frame, and those that a browser blocked.

`frame_sources` has the rule, as a browser applies it. `site_counts` counts frames in memory and writes the counts now
and then by `site_store`. A site is an origin; nothing about a visitor is stored.
"""
