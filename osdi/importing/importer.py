"""A body that comes from a file or another server, taken in as a POST with a token would be.

The process: the body is loaded by the schemas; what belongs to an import only is seen to (tags to be made, people who
were erased, who a link means, follow-ups that are not sent); the person is matched and merged into, or the outreach
recorded, by the code that serves POSTs; and what became of it is told.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from osdi.access.tokens import IMPORTER
from osdi.crud.create import create
from osdi.crud.reference_cache import Reference
from osdi.documents import Document, LoadBody
from osdi.errors import OsdiError, invalid
from osdi.importing.csv_files.column_mapping import PEOPLE
from osdi.importing.report import KNOWN, RECORDED, Outcome
from osdi.match_keys import id_key
from osdi.outreaches.helper_request import HelperRequest
from osdi.outreaches.record_outreach import record_outreach
from osdi.people.signup import sign_up
from osdi.privacy.tombstones import erased_in
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON, TAG
from osdi.retry import retry_while_unavailable
from osdi.settings import Settings
from osdi.store import Store

Body = Mapping[str, Any]
Result = TypeVar("Result")

ERASED: Final = "erased"
REASON_LENGTH: Final = 500
LINK: Final = PERSON.rel
# An import outlasts a failover, and much longer than a request may wait.
PATIENCE_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Choices:
    """What whoever imports has chosen."""

    campaign_id: str | None = None
    create_tags: bool = False
    silent: bool = True
    include_erased: bool = False


@dataclass(frozen=True)
class Prepared:
    """A body that may be taken in: loaded, and with the keys by which others may mean the same. Or why it may not."""

    keys: frozenset[str] = frozenset()
    take: Callable[[], Outcome] | None = None
    refused: str | None = None


@dataclass
class RowImporter:
    """Takes in bodies of one kind, into one store, by what was chosen."""

    store: Store
    reference: Reference
    settings: Settings
    load_body: LoadBody
    kind: str
    choices: Choices
    patience: float = PATIENCE_SECONDS

    def __post_init__(self) -> None:
        self._is_erased = erased_in(self.store)

    def prepare(self, written: Body, campaign: str | None = None, namespace: str | None = None) -> Prepared:
        """Load a body, and find what it refers to.

        `campaign` is the id of the campaign that an outreach names; `namespace` is whose the ids in its links are.
        """
        try:
            return self.retry_while_unavailable(lambda: self._prepare(written, campaign, namespace))
        except OsdiError as error:
            return Prepared(refused=_told(error))

    def retry_while_unavailable(self, attempt: Callable[[], Result]) -> Result:
        """The attempt's result, waiting for a database that is away. Raises OsdiError, 503 at last."""
        return retry_while_unavailable(attempt, self.patience)

    def _prepare(self, written: Body, campaign: str | None, namespace: str | None) -> Prepared:
        if self.kind == PEOPLE:
            body = self.load_body(PERSON, written)
            request = None
        else:
            body = self.load_body(OUTREACH, self._with_local_person(written, namespace))
            found = self._campaign(campaign, namespace)
            request = HelperRequest(body=body, campaign=found, caller=IMPORTER)
        if self.choices.silent:
            body.pop("triggers", None)
        person = body.get("person", {})
        keys = self.settings.match_key_rules.match_keys(person, trusted=True)
        if not keys.all and "person_link" not in body:
            return Prepared(refused="Nothing tells who it is: no identifier, e-mail address or phone number.")
        if not self.choices.include_erased and keys.all and self._is_erased(keys.all):
            return Prepared(refused=ERASED)
        self._create_tags(body)
        meant = [body["person_link"]["person"]["href"]] if "person_link" in body else []
        both = frozenset((*keys.all, *meant, *(f"outreach:{each}" for each in body.get("identifiers", ()))))
        if request is None:
            return Prepared(both, lambda: self._take(lambda: self._sign_up(body)))
        return Prepared(both, lambda: self._take(lambda: self._record(request)))

    def _take(self, attempt: Callable[[], Outcome]) -> Outcome:
        try:
            return self.retry_while_unavailable(attempt)
        except OsdiError as error:
            return Outcome(refused=_told(error))

    def _sign_up(self, body: Body) -> Outcome:
        signed_up = sign_up(self.store, self.reference.find, body, IMPORTER, self.settings)
        return Outcome(signed_up.outcome, signed_up.matched_by, warnings=signed_up.warnings)

    def _record(self, request: HelperRequest) -> Outcome:
        recorded = record_outreach(self.store, self.reference.find, request, self.settings)
        if recorded.person_outcome is None:
            return Outcome(outreach=KNOWN, warnings=recorded.warnings)
        return Outcome(recorded.person_outcome, recorded.matched_by, RECORDED, warnings=recorded.warnings)

    def _create_tags(self, body: Body) -> None:
        names = body.get("add_tags", ()) if self.choices.create_tags else ()
        found = self.reference.find(TAG, names) if names else {}
        for name in names:
            if name not in found:
                create(self.store, TAG, {"name": name}, self.settings.match_key_rules)

    def _campaign(self, named: str | None, namespace: str | None) -> Document:
        if self.choices.campaign_id is not None:
            return self.reference.campaign(self.choices.campaign_id)
        if named is None:
            raise invalid("Nothing tells the campaign; name one by --campaign.")
        known = [f"{namespace}:{named}"] if namespace else []
        found = self.reference.find(ADVOCACY_CAMPAIGN, [*known, named])
        if not found:
            raise invalid("Its campaign is not here; import the campaigns first, or name one by --campaign.")
        return next(iter(found.values()))

    def _with_local_person(self, written: Body, namespace: str | None) -> Body:
        """The body with the link to its person made one of this server, by the identifier that the person has there."""
        links = written.get("_links")
        link = links.get(LINK) if isinstance(links, Mapping) else None
        href = link.get("href") if isinstance(link, Mapping) else None
        if not isinstance(href, str) or "person" in written:
            return {name: value for name, value in written.items() if name != "_links"}
        person_id = href.rstrip("/").rpartition("/")[2]
        keys = [id_key(f"{each}:{person_id}") for each in (namespace, self.settings.namespace) if each]
        found = self.store.by_match_keys(PERSON.collection, list(dict.fromkeys(keys)))
        if not found:
            raise invalid("Its person is not here; import the people first.")
        return {**written, "_links": {LINK: {"href": f"/api/{PERSON.collection}/{found[0]['_id']}"}}}


def row_importers(
    store: Store, settings: Settings, load_body: LoadBody, choices: Choices, kinds: Iterable[str]
) -> dict[str, RowImporter]:
    """Returns an importer for each kind of rows; they share one cache of campaigns, tags, lists and questions."""
    reference = Reference(store, cache_seconds=settings.cache_seconds)
    return {kind: RowImporter(store, reference, settings, load_body, kind, choices) for kind in kinds}


def _told(error: OsdiError) -> str:
    """A refusal in a line. Raises the error itself where it is about the database, and so about no row."""
    if error.status >= 500:
        raise error
    return str(error.body()["error"])[:REASON_LENGTH]
