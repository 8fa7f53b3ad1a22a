"""Mailboxes: reads and writes addresses with display names (RFC 5322) and internationalised domains."""

import re
import unicodedata
from email import policy
from email.errors import ObsoleteHeaderDefect
from email.headerregistry import Address
from functools import lru_cache
from typing import Final

import idna
from email_validator import EmailNotValidError, validate_email

# Recipient addresses: no quoted strings, no comments and no domain literals (the schemas reject them, too).
LOCAL_PART: Final = re.compile(r'[^\s\x00-\x20\x7f-\xa0()<>\[\]:;@\\,"]+')
ASCII_DOMAIN: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
# Unicode categories of characters that a single line cannot contain: controls, line breaks, surrogates.
NOT_IN_LINES: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})


def mailboxes(text: str) -> tuple[Address, ...]:
    """Returns the mailboxes of a header value: `Name <address>` or bare addresses, separated by commas.

    Domains are returned in ASCII. Raises ValueError for groups, for text that does not follow RFC 5322, section 3.4,
    and for control characters.
    """
    invalid = ValueError("Not a mailbox such as Our Name <hello@example.org>.")
    if not in_one_line(text):
        raise invalid
    try:
        header = policy.SMTP.header_factory("reply-to", text)
        named: tuple[Address, ...] = header.addresses
        found = [(each.display_name, *with_ascii_domain(each.addr_spec).split("@")) for each in named]
    except Exception as error:  # the parser raises IndexError for `a@` and AttributeError for `:;a`
        raise invalid from error
    # A full stop in a name without quotation marks is an obsolete form that is still common.
    broken = any(not isinstance(defect, ObsoleteHeaderDefect) for defect in header.defects)
    grouped = any(group.display_name is not None for group in header.groups)
    if broken or grouped or not found or not all(in_one_line(name) for name, *_ in found):
        raise invalid
    return tuple(Address(name, local, domain) for name, local, domain in found)


def with_ascii_domain(address: str) -> str:
    """Returns a bare address with its domain in ASCII, which every mail server understands (RFC 5890, UTS 46).

    Raises ValueError for text that is not an e-mail address.
    """
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True).decode()
    if not LOCAL_PART.fullmatch(local) or not ASCII_DOMAIN.fullmatch(domain):
        raise ValueError("Not an e-mail address.")
    return f"{local}@{domain}"


def in_one_line(text: str) -> bool:
    """True if the text contains no line break and no other control character."""
    return all(unicodedata.category(character) not in NOT_IN_LINES for character in text)


# Nearly all mails have one of a few senders, and parsing a sender takes longer than composing a mail.
MAILBOXES: Final = 100


@lru_cache(MAILBOXES)
def mailbox(text: str) -> Address:
    """Returns the mailbox in `Name <address>` or a bare address, its domain in ASCII.

    Raises ValueError unless the text is exactly one mailbox.
    """
    found = mailboxes(text)
    invalid = ValueError("Not one mailbox such as Our Name <hello@example.org>.")
    if len(found) != 1:
        raise invalid
    try:
        # The reserved domain `test` is allowed, as for people. A local part beyond ASCII is not: many mail servers do
        # not support SMTPUTF8.
        validate_email(found[0].addr_spec, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise invalid from error
    return found[0]


def sender(from_: str, mail_from: str) -> Address:
    """Returns the sender of a mail.

    `from_` is the message's `from`, which OSDI allows to be a mailbox or only a name. A bare name gets the address of
    `mail_from`; an empty `from_` means `mail_from`. Raises ValueError if the result is not exactly one mailbox.
    """
    name = from_.strip()
    if not name or "@" in name:
        return mailbox(name or mail_from)
    if not in_one_line(name):
        raise ValueError("The sender's name contains control characters; remove them.")
    address = mailbox(mail_from)
    return Address(name, address.username, address.domain)
