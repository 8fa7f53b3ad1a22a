"""The settings of a deployment, read from the environment.

`table` declares a setting and reads it, `deployment` declares the settings of the application, and `validators` checks
their values.

Imports: http_client, languages, log, mail, match_keys, resources, store, values.
"""

from osdi.settings.deployment import ANONYMOUS_ACTIONS, Settings

__all__ = ["ANONYMOUS_ACTIONS", "Settings"]
