"""The pages under /staff/settings, for members with the scope `admin` who are not bound to one campaign."""

from blueprints.staff.settings import anonymous_posts, audit_log, members, overview, tokens, webhooks

__all__ = ["anonymous_posts", "audit_log", "members", "overview", "tokens", "webhooks"]
