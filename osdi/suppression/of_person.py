"""Shows what the suppression list has about the contact details of one person."""

from osdi.documents import Json, ReadOnlyDocument
from osdi.match_keys import MatchKeyRules, email_key
from osdi.store import Store
from osdi.suppression.suppression_list import suppression_list


def suppressions_of(store: Store, person: ReadOnlyDocument, rules: MatchKeyRules) -> list[Json]:
    """Returns the entries of a person's addresses and numbers, each with the address or number; [] without any.

    An entry whose opt-outs are all lifted has its history only. Raises OsdiError 503.
    """
    details = {
        email_key(each["address"]): {"address": each["address"]}
        for each in person.get("email_addresses", ())
        if "address" in each
    }
    for each in person.get("phone_numbers", ()):
        if key := rules.phone_key(each):
            details[key] = {"number": each["number"]}
    if not details:
        return []
    found = suppression_list(store).read(details)
    return [
        {**details[key], "refused": found[key]["refused"], "history": found[key]["history"]}
        for key in details
        if key in found
    ]
