"""The access that the screens about imports declare."""

from typing import Final

from blueprints.staff.blueprint import Access
from osdi.access.tokens import WRITE

# An import changes people, and shows what the file says of them.
IMPORTS: Final = Access(WRITE, shows=True)
UPLOADS: Final = Access(WRITE, shows=True, uploads=True)
