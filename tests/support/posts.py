"""Strategies for the posts of test_model.py: they use few values, so that posts often conflict."""

from typing import Any

import hypothesis.strategies as st

from tests.support.model import SINGLE_VALUES, contact_key

EMAILS = ["jane@example.com", "Jane@EXAMPLE.com", "john@example.com", "a@münchen.example", "a@xn--mnchen-3ya.example"]
US, DE = {"country": "US"}, {"country": "DE"}
PHONES: list[dict[str, Any]] = [
    {"number": "19876543210"},
    {"number": "+1 (987) 654-3210"},
    {"number": "987-654-3210", **US},
    {"number": "+49 30 901820"},
    {"number": "030 901820", **DE},
    {"number": "911"},
]
STATUSES = ["subscribed", "unsubscribed", "bouncing", "spam complaints"]
KEPT_STATUSES = {"unsubscribed", "bouncing", "spam complaints"}
NAMES = ["", "Jane", "John", "Ann"]
TAGS, LISTS = ["volunteer", "donor"], ["supporters"]


def contacts(array: str, entries: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Entries with different keys, of which one at most is primary."""
    some = st.lists(entries, max_size=3, unique_by=lambda entry: contact_key(array, entry))
    return st.tuples(some, st.integers(0, 4)).map(
        lambda drawn: [{**each, "primary": True} if i == drawn[1] else each for i, each in enumerate(drawn[0])]
    )


emails = contacts(
    "email_addresses",
    st.builds(
        lambda address, status: {"address": address, **({"status": status} if status else {})},
        st.sampled_from(EMAILS),
        st.sampled_from(["", "", *STATUSES]),
    ),
)
phones = contacts("phone_numbers", st.sampled_from(PHONES))
identifiers = st.lists(st.sampled_from(["crm:1", "crm:2", "crm:3"]), max_size=2, unique=True)
names = {name: st.sampled_from(NAMES) for name in SINGLE_VALUES}
posted_people = st.fixed_dictionaries(
    {}, optional={**names, "identifiers": identifiers, "email_addresses": emails, "phone_numbers": phones}
).filter(lambda person: any(value for name, value in person.items() if name != "source"))
signups = st.fixed_dictionaries(
    {"person": posted_people},
    optional={
        "add_tags": st.lists(st.sampled_from([*TAGS, "nobody knows it"]), max_size=2, unique=True),
        "add_lists": st.lists(st.sampled_from(LISTS), max_size=1),
    },
)
outreach_identifiers = st.lists(st.sampled_from(["call:1", "call:2", "call:3"]), min_size=1, max_size=2, unique=True)
either = st.integers(0, 50)  # an index into the existing ones, modulo their number
