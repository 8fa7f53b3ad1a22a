"""The operator's commands: `bin/osdi ...`. One module per group of commands.

A command parses its options, calls one capability and prints the result. `register` adds the commands to Flask.

Imports: access, action_functions, backup, crud, documents, errors, exporting, fields, followups, hal, http_client, ids,
importing, operations, outreaches, people, privacy, resources, retry, sample, settings, staff, statistics, store,
values, version, webhooks.
"""
