"""The settings of a deployment, read from the environment.

`table` declares a setting and reads it, `deployment` declares the settings of the application, and `validators` checks
their values. May import `osdi.http_client`, `osdi.log`, `osdi.mail`, `osdi.match_keys`,
`osdi.resources` and `osdi.store.driver`.
"""

from osdi.settings.deployment import ANONYMOUS_ACTIONS, Settings

__all__ = ["ANONYMOUS_ACTIONS", "Settings"]
