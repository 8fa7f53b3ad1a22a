"""Request and response bodies: marshmallow schemas, one module per OSDI resource.

A schema turns JSON into plain dicts and names what is wrong with it. Schemas know no database and no Flask, so each
can be read beside the page of the standard that it implements. `base/` is shared, `operations/` is beside OSDI.
"""
