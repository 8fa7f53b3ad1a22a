"""Limits of every string, array, number and name in a body or address.

The server is open to the internet, so everything has a limit. A request beyond one is rejected with a 4xx that names
the property; nothing is truncated. docs/limits.md lists the limits for users, and a test compares the two.
"""

from typing import Any, Final

# Maximum depth of a body; its maximum size in bytes is a setting.
BODY_DEPTH: Final = 32

# Characters.
STRING_LENGTH: Final = 10_000
MESSAGE_LENGTH: Final = 64_000
LINE_LENGTH: Final = 1_000
CODE_LENGTH: Final = 100
EMAIL_LENGTH: Final = 254
PHONE_LENGTH: Final = 40
DATE_LENGTH: Final = 40
IDENTIFIER_LENGTH: Final = 255
SYSTEM_NAME_LENGTH: Final = 100
CUSTOM_FIELD_NAME_LENGTH: Final = 200
URL_LENGTH: Final = 2_000
SECRET_LENGTH: Final = 100

# Digits of a phone number.
PHONE_DIGITS: Final = 20
PHONE_DIGITS_LEAST: Final = 3

# Entries of an array in one request, and names in custom_fields.
STRINGS: Final = 100
IDENTIFIERS: Final = 20
CUSTOM_FIELDS: Final = 200
CONTACTS: Final = 10
ADDRESS_LINES: Final = 10
PERSON_ENTRIES: Final = 50
TARGETS: Final = 100
REFERENCES: Final = 50
TARGET_LIST: Final = 1_000
TEMPLATES: Final = 20
SHARE_OPTIONS: Final = 20
MESSAGE_ENTRIES: Final = 100
POSTAL_CODE_LINES: Final = 100_000
# Bytes of such a table. A longer one than MAX_BODY_BYTES has to be sent compressed.
POSTAL_CODE_BYTES: Final = 10_000_000
RESPONSES: Final = 500
PAGE_FIELDS: Final = 40
PAGE_PROMPTS: Final = 4
ORIGINS: Final = 100

# Of a post without a token: characters of `message` and `notes`, entries of `targets`, names in `custom_fields`, and
# characters of a value in it. Anybody can post, so anybody could fill the database.
ANONYMOUS_TEXT_LENGTH: Final = 10_000
ANONYMOUS_TARGETS: Final = 50
ANONYMOUS_CUSTOM_FIELDS: Final = 50
ANONYMOUS_VALUE_LENGTH: Final = 1_000

# Entries of each array of contact details, claimed identifiers, and names in `custom_fields` that a stored person has
# at most after a post without a token: a PUT can send them back, and later posts about the person stay fast.
ANONYMOUS_STORED: Final = 50
ANONYMOUS_STORED_FIELDS: Final = 200

# Factor for the maximum number of entries in a PUT: arrays that grew by merging can be sent back.
PUT_TIMES: Final = 10

# Maximum of an integer, and maximum bits of a number that is stored as a string: JSON readers round larger ones.
MAX_INTEGER: Final = 2**31 - 1
INTEGER_BITS: Final = 64

# Arguments in an address.
FILTER_LENGTH: Final = 2_000
CURSOR_LENGTH: Final = 100
EXPAND_LENGTH: Final = 500
PAGE_NUMBER: Final = 1_000_000_000
ZONE_LENGTH: Final = 100


# Not `dict | list`, which would be made anew for each value.
_NESTING: Final = (dict, list)


def deeper_than(depth: int, value: Any) -> bool:
    """True if arrays and objects are nested more than `depth` deep. Works level by level, without recursion."""
    level = [value]
    for _ in range(depth + 1):
        level = [each for each in level if isinstance(each, _NESTING)]
        if not level:
            return False
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return True
