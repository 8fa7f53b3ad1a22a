"""People: matching a posted person to a stored one, merging, signing up, finding and merging duplicates.

`matching` finds the person of a post, `merge_rules` applies the post to the stored person, `signup` prepares the write.
`merge` merges two stored people; `survivorship` combines their documents.

Imports: access, action_functions, deletions, documents, errors, fields, ids, match_keys, paging, resources, retry,
settings, statistics, store, suppression, values.
"""
