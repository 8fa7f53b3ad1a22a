"""Request and response bodies: marshmallow schemas, one module per OSDI resource.

A schema turns JSON into plain dicts and names what is wrong with it. The fields of OSDI's resources come from the
tables in osdi.fields. Schemas know no database and no Flask. `base/` is shared, `operations/` is beside OSDI.
"""
