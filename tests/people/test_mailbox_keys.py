"""All spellings of an address that reach one mailbox have one match key."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import idna
import pytest

from osdi.mail.mailboxes import with_ascii_domain
from osdi.match_keys import email_key
from tests.support.examples import PROFILE, QUICK_SHARE

NOT_IN_ADDRESSES = {"Cn", "Cs", "Co"}  # unassigned, surrogates, private use: no domain has them


# Nearly all of the 130,000 letters without case are unchanged in every form, so only `make check` tries all of them.
LETTERS_STEP = QUICK_SHARE if PROFILE == "quick" else 1


def spellings() -> Iterator[str]:
    """Yields addresses with assigned characters inside a label, and with most also as a label and as the dot."""
    for code in range(0x110000):
        character = chr(code)
        category = unicodedata.category(character)
        if category not in NOT_IN_ADDRESSES:
            if category != "Lo" or code % LETTERS_STEP == 0:
                yield f"jane@ex{character}ample.com"
            if category != "Lo":
                yield f"jane@{character}.com"
                yield f"jane@example{character}com"


@pytest.mark.slow
def test_every_spelling_of_a_domain_has_the_key_of_the_address_that_mail_is_sent_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The address and both keys need the same conversions, and nearly all of the time is spent in them.
    for name in ("encode", "decode", "alabel", "ulabel"):
        monkeypatch.setattr(idna.core, name, lru_cache(maxsize=64)(getattr(idna.core, name)))
    monkeypatch.setattr(idna, "encode", idna.core.encode)
    monkeypatch.setattr(idna, "decode", idna.core.decode)
    different = []
    for address in spellings():
        try:
            sent_to = with_ascii_domain(address)
        except ValueError:
            continue  # nothing is sent there
        if email_key(address) != email_key(sent_to):
            different.append(address)
    assert not different


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("Jane@Example.COM", "email:jane@example.com"),
        (" jane@example.com ", "email:jane@example.com"),
        ("jane@ex\u034fample.com", "email:jane@example.com"),
        ("jane@example\u3002com", "email:jane@example.com"),
        ("jane@example\uff61com", "email:jane@example.com"),
        ("jane@exa\u00admple.com", "email:jane@example.com"),
        ("jane@\uff45xample.com", "email:jane@example.com"),
        ("jane@b\u00fccher.example", "email:jane@b\u00fccher.example"),
        ("jane@bu\u0308cher.example", "email:jane@b\u00fccher.example"),
        ("jane@xn--bcher-kva.example", "email:jane@b\u00fccher.example"),
        ("jane@XN--BCHER-KVA.example", "email:jane@b\u00fccher.example"),
        ("jane@stra\u00dfe.example", "email:jane@stra\u00dfe.example"),
        ("jane@strasse.example", "email:jane@strasse.example"),
        ("jane+news@example.com", "email:jane+news@example.com"),
        ("\uff4aane@example.com", "email:jane@example.com"),
        ("jane@-.\u0301", "email:jane@-.\u0301"),
    ],
)
def test_the_key_of_an_address(address: str, key: str) -> None:
    assert email_key(address) == key
