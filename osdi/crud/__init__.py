"""Create, read, change and delete, the same for every OSDI resource: POST, PUT, DELETE and subresources.

Taggings, items and answers are stored inside people; `subresources` reads and changes them there. `reference_cache`
holds campaigns, tags, lists and questions, which most requests look up, for a few seconds.

Imports: action_functions, deletions, documents, errors, etags, fields, ids, match_keys, outreaches, paging, people,
resources, retry, statistics, store, suppression, values.
"""
