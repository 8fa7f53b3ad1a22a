"""What may be sent and what is answered: marshmallow schemas, one module per OSDI resource.

Schemas turn JSON into plain dicts and say what is wrong with it. They know no database, no Flask and nothing else of
this project, so each can be read beside the page of the standard that it implements.
"""
