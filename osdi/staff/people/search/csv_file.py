"""The people of a filter as a CSV file with the columns of the API's export."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from osdi.documents import Document
from osdi.errors import invalid
from osdi.exporting.export import PART, ExportQuery
from osdi.match_keys import MatchKeyRules
from osdi.resources import PERSON
from osdi.staff.people.search.filter import Filter
from osdi.staff.people.search.find import MAX_PEOPLE_READ, find_people
from osdi.store import Store


@dataclass(frozen=True)
class PeopleFile(ExportQuery):
    """The export of the chosen people, in the order of the list. `query` selects at least these people."""

    rules: MatchKeyRules = field(kw_only=True)
    chosen: Filter = field(kw_only=True)

    @property
    def selects_all(self) -> bool:
        """False, since `parts` may leave people out."""
        return False

    def parts(self) -> Iterator[list[Document]]:
        """Yields lists of people. Raises OsdiError 503."""
        after: str | None = ""
        while after is not None:
            size = MAX_PEOPLE_READ if self.chosen.text else PART
            found = find_people(self.store, self.rules, self.chosen, after, size)
            after = found.after
            if found.people:
                yield found.people


def people_file(store: Store, rules: MatchKeyRules, chosen: Filter) -> PeopleFile:
    """Returns the export of the chosen people. Raises OsdiError 400 for a search by text that finds too many; 503."""
    query = chosen.query
    if chosen.text:
        found = find_people(store, rules, chosen, size=MAX_PEOPLE_READ)
        if found.more:
            raise invalid(
                f"More than {MAX_PEOPLE_READ} people have this name. Type more of it, then download again.", "text"
            )
        query = {"_id": {"$in": [person["_id"] for person in found.people]}}
    return PeopleFile(store, PERSON, query, rules=rules, chosen=chosen)
