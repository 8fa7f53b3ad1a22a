"""The contents of the settings pages: tokens, members, webhooks, audit log, policy for posts without a token."""
