"""Staff: the people who work with the pages under /staff, how they sign in, and what these pages show.

A member has the scopes of a token, and a session makes the same Caller as a token does, so each rule of the API holds
for the pages too. Secrets are stored as hashes.

Imports: access, action_functions, campaign_pages, crud, documents, errors, etags, exporting, fields, followups, hal,
http_client, ids, importing, log, mail, match_keys, messages, odata, outreaches, people, privacy, resources, retry,
settings, statistics, store, suppression, values, webhooks.
"""
