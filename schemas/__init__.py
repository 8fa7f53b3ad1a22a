"""Request and response bodies: marshmallow schemas, one module per OSDI resource.

A schema converts JSON to dicts, and reports errors by property. The fields of OSDI's resources come from the tables in
osdi.fields. Schemas use neither the database nor Flask. `base/` has the base classes, `operations/` the schemas of
routes beside OSDI.
"""
