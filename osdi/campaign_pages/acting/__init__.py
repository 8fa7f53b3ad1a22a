"""The steps after an outreach is recorded: the mail, call, letter or visit, its outcome, the thank-you and sharing.

All but `completion` and `outreach_token` are pure. No link has an address of the supporter.
"""
