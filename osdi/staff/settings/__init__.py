"""Read models of the settings pages: tokens, members, webhooks, audit log, and the policy for anonymous posts."""
