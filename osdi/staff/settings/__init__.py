"""The contents of the settings pages: tokens, members, webhooks, the audit log, and the policy for posts without a token."""
