"""HTTP only: one module per OSDI resource, each view one call inward.

`http/` is what every view uses, `operations/` the routes beside OSDI (statistics, downloads, webhooks, health),
`browser/` the pages that a person opens.
"""
