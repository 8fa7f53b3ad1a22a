"""People: matching a posted person to a stored one, merging, signing up, finding and merging duplicates.

`matching` decides which person is meant, `merge_rules` what changes, `signup` prepares the write. `merge` unites two
stored people; `survivorship` decides what the survivor keeps.

Imports: access, action_functions, documents, errors, fields, ids, match_keys, resources, retry, settings, statistics,
store.
"""
