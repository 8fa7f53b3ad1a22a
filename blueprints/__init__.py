"""HTTP, and nothing but: one module per OSDI resource, each view one call inward.

`openapi` adds to flask-smorest what OSDI asks for, `deployment` is what views reach of the running application.
"""
