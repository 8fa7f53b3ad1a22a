"""Limits of every string, array, number and name in a body or address.

The server is open to the internet, so everything has a limit. A request beyond one is rejected with a 4xx that names
the property; nothing is truncated. docs/limits.md lists the limits for users, and a test compares the two.
"""

from typing import Any, Final

# Maximum depth of a body; its maximum size in bytes is a setting.
MAX_BODY_DEPTH: Final = 32

# Characters.
MAX_STRING_LENGTH: Final = 10_000
MAX_MESSAGE_LENGTH: Final = 64_000
MAX_LINE_LENGTH: Final = 1_000
MAX_CODE_LENGTH: Final = 100
MAX_EMAIL_LENGTH: Final = 254
MAX_PHONE_LENGTH: Final = 40
MAX_DATE_LENGTH: Final = 40
MAX_IDENTIFIER_LENGTH: Final = 255
MAX_SYSTEM_NAME_LENGTH: Final = 100
MAX_CUSTOM_FIELD_NAME_LENGTH: Final = 200
MAX_URL_LENGTH: Final = 2_000
MAX_SECRET_LENGTH: Final = 100

# Digits of a phone number.
MAX_PHONE_DIGITS: Final = 20
MIN_PHONE_DIGITS: Final = 3

# Entries of an array in one request, and names in custom_fields.
MAX_STRINGS: Final = 100
MAX_IDENTIFIERS: Final = 20
MAX_CUSTOM_FIELDS: Final = 200
MAX_CONTACTS: Final = 10
MAX_ADDRESS_LINES: Final = 10
MAX_PERSON_ENTRIES: Final = 50
MAX_TARGETS: Final = 100
MAX_REFERENCES: Final = 50
MAX_TARGET_LIST: Final = 1_000
MAX_TEMPLATES: Final = 20
MAX_SHARE_OPTIONS: Final = 20
MAX_MESSAGE_ENTRIES: Final = 100
MAX_POSTAL_CODE_LINES: Final = 100_000
# Bytes of such a table. A longer one than MAX_BODY_BYTES has to be sent compressed.
MAX_POSTAL_CODE_BYTES: Final = 10_000_000
MAX_RESPONSES: Final = 500
MAX_PAGE_FIELDS: Final = 40
MAX_PAGE_PROMPTS: Final = 4
MAX_ORIGINS: Final = 100

# Of a post without a token: characters of `message` and `notes`, entries of `targets`, names in `custom_fields`, and
# characters of a value in it. Anybody can post, so anybody could fill the database.
MAX_ANONYMOUS_TEXT_LENGTH: Final = 10_000
MAX_ANONYMOUS_TARGETS: Final = 50
MAX_ANONYMOUS_CUSTOM_FIELDS: Final = 50
MAX_ANONYMOUS_VALUE_LENGTH: Final = 1_000

# Entries of each array of contact details, claimed identifiers, and names in `custom_fields` that a stored person has
# at most after a post without a token: a PUT can send them back, and later posts about the person stay fast.
MAX_ANONYMOUS_STORED_ENTRIES: Final = 50
MAX_ANONYMOUS_STORED_FIELDS: Final = 200

# Factor for the maximum number of entries in a PUT: arrays that grew by merging can be sent back.
PUT_TIMES: Final = 10

# Maximum of an integer, and maximum bits of a number that is stored as a string: JSON readers round larger ones.
MAX_INTEGER: Final = 2**31 - 1
MAX_INTEGER_BITS: Final = 64

# Arguments in an address.
MAX_FILTER_LENGTH: Final = 2_000
MAX_CURSOR_LENGTH: Final = 100
MAX_EXPAND_LENGTH: Final = 500
MAX_PAGE_NUMBER: Final = 1_000_000_000
MAX_ZONE_LENGTH: Final = 100


def deeper_than(depth: int, value: Any) -> bool:
    """True if arrays and objects are nested more than `depth` deep. Works level by level, without recursion."""
    level = [value]
    for _ in range(depth + 1):
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            return False
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return True
