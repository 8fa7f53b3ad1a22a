"""Follow-ups: the mails, texts and calls that an outreach asks for, from the outbox to their delivery.

The outbox is inside the outreach, so one write queues both. A worker leases a follow-up, checks the recipient's
consent and the sending limits, sends it, and records the result. It delivers each at least once.

Imports: access, action_functions, consent, crud, documents, errors, hal, http_client, ids, languages, log, mail,
match_keys, messages, outreaches, people, resources, retry, settings, store, suppression.
"""
