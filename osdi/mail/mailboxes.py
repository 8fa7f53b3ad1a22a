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

# Of an address that the mail goes to: no quoted strings, no comments, and no domain literals (schemas refuse them too).
LOCAL_PART: Final = re.compile(r'[^\s\x00-\x20\x7f-\xa0()<>\[\]:;@\\,"]+')
ASCII_DOMAIN: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
# Categories of characters that are no part of a line: controls, line breaks, halves of characters.
NOT_IN_LINES: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})


def mailboxes(text: str) -> tuple[Address, ...]:
    """The mailboxes that a header names, domains in ASCII: `Name <address>` or a bare address, commas between them.

    Raises ValueError for groups, for what RFC 5322, section 3.4, does not know, and for control characters.
    """
    wrong = ValueError("Not a mailbox such as Our Name <hello@example.org>.")
    if not in_one_line(text):
        raise wrong
    try:
        header = policy.SMTP.header_factory("reply-to", text)
        named: tuple[Address, ...] = header.addresses
        found = [(each.display_name, *with_ascii_domain(each.addr_spec).split("@")) for each in named]
    except Exception as error:  # an IndexError for `a@`, an AttributeError for `:;a`: its parser stumbles over much
        raise wrong from error
    # Obsolete is a full stop in a name without quotation marks, which many write.
    broken = any(not isinstance(defect, ObsoleteHeaderDefect) for defect in header.defects)
    grouped = any(group.display_name is not None for group in header.groups)
    if broken or grouped or not found or not all(in_one_line(name) for name, *_ in found):
        raise wrong
    return tuple(Address(name, local, domain) for name, local, domain in found)


def with_ascii_domain(address: str) -> str:
    """A bare address with its domain in the form that every mail server understands (RFC 5890, UTS 46).

    Raises ValueError for one that no mail can be sent to.
    """
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True).decode()
    if not LOCAL_PART.fullmatch(local) or not ASCII_DOMAIN.fullmatch(domain):
        raise ValueError("Not an e-mail address.")
    return f"{local}@{domain}"


def in_one_line(text: str) -> bool:
    """Whether there is neither a line break in the text nor any other control character."""
    return all(unicodedata.category(character) not in NOT_IN_LINES for character in text)


# Nearly all mails come from the same few mailboxes, which take longer to read than a mail to write.
MAILBOXES: Final = 100


@lru_cache(MAILBOXES)
def mailbox(text: str) -> Address:
    """The mailbox that `Name <address>` or a bare address names, its domain in ASCII. Raises ValueError."""
    found = mailboxes(text)
    wrong = ValueError("Not one mailbox such as Our Name <hello@example.org>.")
    if len(found) != 1:
        raise wrong
    try:
        # The reserved domain `test` is let through, as for people. An address without ASCII needs more of mail servers
        # than most can do.
        validate_email(found[0].addr_spec, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise wrong from error
    return found[0]


def sender(from_: str, mail_from: str) -> Address:
    """Whom a mail is from: what its message says, which OSDI lets be a mailbox or just a name; else `mail_from`.

    Raises ValueError where that is no mailbox, or none is known.
    """
    name = from_.strip()
    if not name or "@" in name:
        return mailbox(name or mail_from)
    if not in_one_line(name):
        raise ValueError("A name has characters that cannot be printed.")
    address = mailbox(mail_from)
    return Address(name, address.username, address.domain)
