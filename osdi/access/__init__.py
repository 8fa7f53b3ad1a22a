"""Access control: tokens and their scopes, authentication, the policy for posts without a token, rate-limit storage.

A token is stored as a hash. A post without a token is allowed by the settings and by its campaign.

Imports: documents, errors, fields, ids, resources, settings, store.
"""
