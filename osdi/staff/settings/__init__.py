"""What the settings pages show: tokens, members, webhooks, the audit log, and the policy for posts without a token."""
