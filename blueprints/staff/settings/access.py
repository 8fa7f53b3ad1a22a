"""The access that the settings pages declare."""

from typing import Final

from blueprints.staff.blueprint import Access
from osdi.access.tokens import ADMIN

ADMINISTRATOR: Final = Access(ADMIN)
# For what makes or ends access to data: tokens, secrets, members.
FRESH_ADMINISTRATOR: Final = Access(ADMIN, fresh=True)
