"""The values that settings of a campaign's public page can have. They are not in the standard."""

from typing import Final

ALL, CHOOSE, POSTAL_CODE = "all", "choose", "postal_code"
TARGET_SELECTIONS: Final = (ALL, CHOOSE, POSTAL_CODE)
EDITABLE, FIXED, PROMPTS = "editable", "fixed", "prompts"
MESSAGE_RULES: Final = (EDITABLE, FIXED, PROMPTS)
AUTO: Final = "auto"
# The contact details that a form can ask for. Questions are added by their identifiers.
FORM_FIELDS: Final = (
    "given_name",
    "family_name",
    "email_address",
    "phone_number",
    "street_address",
    "postal_code",
    "locality",
    "country",
)
COLOUR: Final = r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})"
