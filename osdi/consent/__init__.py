"""Double opt-in: the mail that asks its reader to confirm a consent, when it is sent, and what its button changes.

The receipt of a consent is in its outreach (osdi.outreaches.consent_receipt). docs/decisions/0035 gives the reasons.

Imports: access, action_functions, documents, ids, languages, match_keys, messages, outreaches, people, resources,
retry, store, suppression.
"""
