"""Imports one body from a file or another server, by the rules of a POST with a token.

The steps: the schemas load the body; the importer does what only imports need (create tags, reject erased people,
resolve the link to the person, drop follow-ups, leave out invalid cells of a row); the code that serves POSTs matches
and merges the person, or records the outreach; the importer returns the outcome.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from osdi.access.tokens import IMPORTER, Caller
from osdi.crud.create import create
from osdi.crud.reference_cache import Reference
from osdi.documents import Document, LoadBody
from osdi.errors import ErrorDescription, OsdiError, invalid
from osdi.importing.csv_files.column_mapping import LISTS, PEOPLE, TAGS
from osdi.importing.csv_files.consent import refuses
from osdi.importing.csv_files.row_bodies import Row
from osdi.importing.refusals import refuse_everywhere
from osdi.importing.report import KNOWN, RECORDED, Outcome
from osdi.importing.row_corrections import FirstNames, load_without_invalid
from osdi.match_keys import id_key
from osdi.outreaches.helper_request import HelperRequest
from osdi.outreaches.record_outreach import record_outreach
from osdi.people.signup import CheckChange, PersonChange, sign_up
from osdi.privacy.tombstones import erased_in
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON, TAG
from osdi.retry import retry_while_unavailable
from osdi.settings import Settings
from osdi.store import Store

Body = Mapping[str, Any]
Result = TypeVar("Result")

ERASED: Final = "erased"
NO_KEYS: Final = "The person has no identifier, e-mail address or phone number. Add one of them."
REASON_LENGTH: Final = 500
NAME_ONLY: Final = "'{}' is only a name, and prevents no message. Say who refuses what in a column or status."
LINK: Final = PERSON.rel
# Long enough for a failover of the database. A request could not wait this long.
PATIENCE_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Choices:
    """Options of an import."""

    campaign_id: str | None = None
    create_tags: bool = False
    silent: bool = True
    include_erased: bool = False
    caller: Caller = IMPORTER


@dataclass(frozen=True)
class Prepared:
    """A loaded body as a function that imports it, or the reason why it is rejected.

    Bodies that share one of `keys` may be of the same person or outreach.
    """

    keys: frozenset[str] = frozenset()
    attempt: Callable[[], Outcome] | None = None
    rejected: str | None = None


class ErasedPerson(Exception):
    """The row is about a person who has been erased since the row was prepared."""


@dataclass
class RowImporter:
    """Imports bodies of one kind into one store."""

    store: Store
    reference: Reference
    settings: Settings
    load_body: LoadBody
    kind: str
    choices: Choices
    patience: float = PATIENCE_SECONDS

    def __post_init__(self) -> None:
        self._is_erased = erased_in(self.store)
        self._first_names = FirstNames()
        # Names of the tags that the import has created, in their order; the values mean nothing.
        self.created_tags: dict[str, None] = {}

    def prepare(
        self, written: Body, campaign: str | None = None, namespace: str | None = None, row: Row | None = None
    ) -> Prepared:
        """Loads a body and finds the resources that it refers to. Raises OsdiError 503.

        `campaign` is the id of the campaign that an outreach names; `namespace` is that of the ids in its links. `row`
        is the row of a CSV file from which the body was made: its invalid cells are left out.
        """
        try:
            return self.retry_while_unavailable(lambda: self._prepare(written, campaign, namespace, row))
        except OsdiError as error:
            return Prepared(rejected=_reason(error))

    def retry_while_unavailable(self, attempt: Callable[[], Result]) -> Result:
        """Returns the attempt's result; repeats it while the database is unavailable. Raises OsdiError."""
        return retry_while_unavailable(attempt, self.patience)

    def _prepare(self, written: Body, campaign: str | None, namespace: str | None, row: Row | None) -> Prepared:
        if self.kind != PEOPLE:
            written = self._with_local_person(written, namespace)
        body, warnings = self._loaded(written, row)
        request = None
        if self.kind != PEOPLE:
            resolved = self._campaign(campaign, namespace)
            request = HelperRequest(body=body, campaign=resolved, caller=self.choices.caller, imported=True)
        if self.choices.silent:
            body.pop("triggers", None)
        person = body.get("person", {})
        keys = self.settings.match_key_rules.match_keys(person, trusted=True)
        if not keys.all and "person_link" not in body:
            reasons = [*warnings, *(row.unreadable if row is not None else ())]
            return Prepared(rejected=reasons[0] if reasons else NO_KEYS)
        if not self.choices.include_erased and keys.all and self._is_erased(keys.all):
            return Prepared(rejected=ERASED)
        if row is not None:
            warnings = [*row.warnings, *warnings, *self._first_names.correct(person)]
        named = [(name, each) for name in (TAGS, LISTS) for each in body.get(name, ()) if refuses((each,))]
        warnings = [*warnings, *(f"{name}: {NAME_ONLY.format(each)}" for name, each in named)]
        self._create_tags(body)
        linked = [body["person_link"]["person"]["href"]] if "person_link" in body else []
        all_keys = frozenset((*keys.all, *linked, *(f"outreach:{each}" for each in body.get("identifiers", ()))))
        check = self._erasure_check(keys.all)
        refused = frozenset(row.consent.refused) if row is not None else frozenset()
        if request is None:
            return Prepared(all_keys, lambda: self._outcome(lambda: self._sign_up(body, check, refused), warnings))
        return Prepared(all_keys, lambda: self._outcome(lambda: self._record(request, check, refused), warnings))

    def _erasure_check(self, keys: Sequence[str]) -> CheckChange | None:
        """Returns the check of an attempt, if there is one: it raises ErasedPerson for the keys of an erased person.

        The person may be erased after the row is prepared. An erasure stores the tombstones before it deletes the
        person. So an attempt that no longer finds the person, and would insert them, finds the tombstones.
        """

        def check(change: PersonChange) -> None:
            if change.adds_keys and self._is_erased(keys):
                raise ErasedPerson

        return None if self.choices.include_erased or not keys else check

    def _loaded(self, written: Body, row: Row | None) -> tuple[dict[str, Any], list[str]]:
        """Returns the loaded body, and a warning for each invalid cell of a row. Raises OsdiError 400."""
        resource = PERSON if self.kind == PEOPLE else OUTREACH
        if row is None:
            return self.load_body(resource, written), []
        return load_without_invalid(lambda body: self.load_body(resource, body), dict(written), row.origins)

    def _outcome(self, attempt: Callable[[], Outcome], warnings: Sequence[str]) -> Outcome:
        try:
            outcome = self.retry_while_unavailable(attempt)
        except ErasedPerson:
            return Outcome(rejected=ERASED)
        except OsdiError as error:
            return Outcome(rejected=_reason(error))
        return replace(outcome, warnings=(*warnings, *outcome.warnings))

    def _sign_up(self, body: Body, check: CheckChange | None, refused: Collection[str]) -> Outcome:
        signed_up = sign_up(self.store, self.reference.find, body, self.choices.caller, self.settings, check=check)
        warnings = (*_sentences(signed_up.warnings), *self._refuse(signed_up.person["_id"], refused))
        return Outcome(signed_up.outcome, signed_up.matched_by, warnings=warnings)

    def _record(self, request: HelperRequest, check: CheckChange | None, refused: Collection[str]) -> Outcome:
        recorded = record_outreach(self.store, self.reference.find, request, self.settings, check=check)
        warnings = (*_sentences(recorded.warnings), *self._refuse(recorded.outreach.get("person_id", ""), refused))
        if recorded.person_outcome is None:
            return Outcome(outreach=KNOWN, warnings=warnings)
        return Outcome(recorded.person_outcome, recorded.matched_by, RECORDED, warnings=warnings)

    def _refuse(self, person_id: str, refused: Collection[str]) -> list[str]:
        if not refused:
            return []
        deployment = self.store, self.reference, self.settings
        return refuse_everywhere(*deployment, person_id, refused, caller=self.choices.caller)

    def _create_tags(self, body: Body) -> None:
        names = body.get("add_tags", ()) if self.choices.create_tags else ()
        found = self.reference.find(TAG, names) if names else {}
        for name in names:
            if name not in found:
                create(self.store, TAG, {"name": name}, self.settings.match_key_rules)
                self.created_tags[name] = None

    def _campaign(self, named: str | None, namespace: str | None) -> Document:
        if self.choices.campaign_id is not None:
            return self.reference.campaign(self.choices.campaign_id)
        if named is None:
            raise invalid("The row names no campaign. Name one with --campaign.")
        identifier = [f"{namespace}:{named}"] if namespace else []
        found = self.reference.find(ADVOCACY_CAMPAIGN, [*identifier, named])
        if not found:
            raise invalid("The campaign does not exist. Import campaigns first, or name one with --campaign.")
        return next(iter(found.values()))

    def _with_local_person(self, written: Body, namespace: str | None) -> Body:
        """Returns the body with the link to its person changed to the person on this server. Raises OsdiError 400.

        The person is found by the identifier that the other server gave them.
        """
        links = written.get("_links")
        link = links.get(LINK) if isinstance(links, Mapping) else None
        href = link.get("href") if isinstance(link, Mapping) else None
        if not isinstance(href, str) or "person" in written:
            return {name: value for name, value in written.items() if name != "_links"}
        person_id = href.rstrip("/").rpartition("/")[2]
        keys = [id_key(f"{each}:{person_id}") for each in (namespace, self.settings.namespace) if each]
        found = self.store.by_match_keys(PERSON.collection, list(dict.fromkeys(keys)))
        if not found:
            raise invalid("The person does not exist. Import the people first.")
        return {**written, "_links": {LINK: {"href": f"/api/{PERSON.collection}/{found[0]['_id']}"}}}


def row_importers(
    store: Store, settings: Settings, load_body: LoadBody, choices: Choices, kinds: Iterable[str]
) -> dict[str, RowImporter]:
    """Returns an importer for each kind of rows; they share one cache of campaigns, tags, lists and questions."""
    reference = Reference(store, cache_seconds=settings.cache_seconds)
    return {kind: RowImporter(store, reference, settings, load_body, kind, choices) for kind in kinds}


def _sentences(warnings: Iterable[ErrorDescription]) -> tuple[str, ...]:
    return tuple(each.sentence for each in warnings)


def _reason(error: OsdiError) -> str:
    """Returns the message of an error. Raises the error itself if it is about the database, not about the row."""
    if error.status >= 500:
        raise error
    return str(error.body()["error"])[:REASON_LENGTH]
