"""Imports one body from a file or another server, by the rules of a POST with a token.

The steps: the RowLoader has the schemas load the body, without its invalid cells; `with_campaign` finds the campaign of
an outreach; `prepare` does what only imports need (resolve the link to the person, reject erased people, create tags);
the attempt calls the code that serves POSTs, which matches and merges the person, or records the outreach, and returns
the outcome.

The last two steps reach the data by a DataAccess: the database itself, or a batch (osdi.importing.batches).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

from osdi.access.tokens import IMPORTER, Caller
from osdi.crud.create import create
from osdi.crud.reference_cache import Reference
from osdi.documents import Document, Find, LoadBody
from osdi.errors import ErrorDescription, OsdiError, invalid
from osdi.importing.csv_files.column_mapping import LISTS, PEOPLE, TAGS
from osdi.importing.csv_files.row_consent import state_opt_out
from osdi.importing.loading.row_loader import Loaded, RowLoader, reason_of
from osdi.importing.report import KNOWN, RECORDED, Outcome
from osdi.importing.row_corrections import FirstNames
from osdi.importing.row_opt_outs import opt_out_everywhere
from osdi.importing.sources import Item
from osdi.match_keys import MatchKeys
from osdi.outreaches.helper_request import HelperRequest
from osdi.outreaches.record_outreach import record_outreach
from osdi.people.signup import CheckChange, PersonChange, sign_up
from osdi.privacy.tombstones import erased_in
from osdi.resources import ADVOCACY_CAMPAIGN, PERSON, TAG
from osdi.retry import retry_while_unavailable
from osdi.settings import Settings
from osdi.store import Store

Body = Mapping[str, Any]
Result = TypeVar("Result")

ERASED: Final = "erased"
NO_KEYS: Final = "The person has no identifier, e-mail address or phone number. Add one of them."
NAME_ONLY: Final = "'{}' is only a name, and prevents no message. Say who opted out of what in a column or status."
# Long enough for a failover of the database. A request could not wait this long.
WAIT_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Choices:
    """Options of an import."""

    campaign_id: str | None = None
    create_tags: bool = False
    silent: bool = True
    include_erased: bool = False
    caller: Caller = IMPORTER


@dataclass(frozen=True)
class DataAccess:
    """The access of a row to the data: a store, the search for reference data, and the search for erased people."""

    store: Store
    find: Find
    is_erased: Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class Prepared:
    """A loaded body as a function that imports it, or the reason why it is rejected.

    Bodies that share one of `keys` may be of the same person or outreach.
    """

    keys: frozenset[str] = frozenset()
    attempt: Callable[[DataAccess], Outcome] | None = None
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
    wait_seconds: float = WAIT_SECONDS

    def __post_init__(self) -> None:
        self.loader = RowLoader(self.load_body, self.kind, self.choices.silent, self.settings.match_key_rules)
        self._first_names = FirstNames()
        # The access of an import row by row.
        self.directly = DataAccess(self.store, self.reference.find, erased_in(self.store))
        # Names of the tags that the import has created, in their order; the values mean nothing.
        self.created_tags: dict[str, None] = {}

    def with_campaign(self, item: Item, loaded: Loaded) -> Loaded:
        """Returns a loaded row with the campaign of its outreach, or rejected without one. Raises OsdiError 503."""
        if self.kind == PEOPLE or loaded.rejected is not None:
            return loaded
        try:
            campaign = self.retry_while_unavailable(lambda: self._campaign(item.campaign, item.namespace))
        except OsdiError as error:
            return Loaded(rejected=_reason(error))
        return replace(loaded, campaign=campaign)

    def prepare(self, loaded: Loaded, access: DataAccess) -> Prepared:
        """Finds the person of a link, looks for erased people, and creates tags. Raises OsdiError 503."""
        if loaded.rejected is not None:
            return Prepared(rejected=loaded.rejected)
        try:
            return self.retry_while_unavailable(lambda: self._prepare(loaded, access))
        except OsdiError as error:
            return Prepared(rejected=_reason(error))

    def retry_while_unavailable(self, attempt: Callable[[], Result]) -> Result:
        """Returns the attempt's result; repeats it while the database is unavailable. Raises OsdiError."""
        return retry_while_unavailable(attempt, self.wait_seconds)

    def _prepare(self, loaded: Loaded, access: DataAccess) -> Prepared:
        body, keys = _linked_body(loaded, access), loaded.keys.all
        if not keys and "person_link" not in body:
            return Prepared(rejected=loaded.unreadable or NO_KEYS)
        if not self.choices.include_erased and keys and access.is_erased(keys):
            return Prepared(rejected=ERASED)
        self._create_tags(body, access)
        warnings = list(loaded.warnings)
        corrections = self._first_names.correct(body.get("person", {})) if loaded.is_row else []
        warnings += corrections
        match_keys = None if corrections else loaded.keys  # a removed name changes them
        named = [(name, each) for name in (TAGS, LISTS) for each in body.get(name, ()) if state_opt_out((each,))]
        warnings += (f"{name}: {NAME_ONLY.format(each)}" for name, each in named)
        link = [body["person_link"]["person"]["href"]] if "person_link" in body else []
        all_keys = frozenset((*keys, *link, *(f"outreach:{each}" for each in body.get("identifiers", ()))))
        if loaded.campaign is None:
            write = partial(self._sign_up, loaded, match_keys)
        else:
            write = partial(self._record, loaded, loaded.campaign)
        return Prepared(all_keys, lambda access: self._outcome(lambda: write(access), warnings))

    def _erasure_check(self, access: DataAccess, keys: Sequence[str]) -> CheckChange | None:
        """Returns the check of an attempt, if there is one: it raises ErasedPerson for the keys of an erased person.

        The person may be erased after the row is prepared. An erasure stores the tombstones before it deletes the
        person. So an attempt that no longer finds the person, and would insert them, finds the tombstones.
        """

        def check(change: PersonChange) -> None:
            if change.adds_keys and access.is_erased(keys):
                raise ErasedPerson

        return None if self.choices.include_erased or not keys else check

    def _outcome(self, attempt: Callable[[], Outcome], warnings: Sequence[str]) -> Outcome:
        try:
            outcome = self.retry_while_unavailable(attempt)
        except ErasedPerson:
            return Outcome(rejected=ERASED)
        except OsdiError as error:
            return Outcome(rejected=_reason(error))
        return replace(outcome, warnings=(*warnings, *outcome.warnings)) if warnings else outcome

    def _sign_up(self, loaded: Loaded, match_keys: MatchKeys | None, access: DataAccess) -> Outcome:
        check, caller = self._erasure_check(access, loaded.keys.all), self.choices.caller
        body = _linked_body(loaded, access)
        signed_up = sign_up(access.store, access.find, body, caller, self.settings, check=check, keys=match_keys)
        warnings = (*_sentences(signed_up.warnings), *self._opt_out(access, signed_up.person["_id"], loaded.opted_out))
        return Outcome(signed_up.outcome, signed_up.matched_by, warnings=warnings)

    def _record(self, loaded: Loaded, campaign: Document, access: DataAccess) -> Outcome:
        check, caller = self._erasure_check(access, loaded.keys.all), self.choices.caller
        request = HelperRequest(body=_linked_body(loaded, access), campaign=campaign, caller=caller, imported=True)
        recorded = record_outreach(access.store, access.find, request, self.settings, check=check)
        warnings = (
            *_sentences(recorded.warnings),
            *self._opt_out(access, recorded.outreach.get("person_id", ""), loaded.opted_out),
        )
        if recorded.person_outcome is None:
            return Outcome(outreach=KNOWN, warnings=warnings)
        return Outcome(recorded.person_outcome, recorded.matched_by, RECORDED, warnings=warnings)

    def _opt_out(self, access: DataAccess, person_id: str, opted_out: Collection[str]) -> list[str]:
        if not opted_out:
            return []
        return opt_out_everywhere(
            access.store, access.find, self.settings, person_id, opted_out, caller=self.choices.caller
        )

    def _create_tags(self, body: Body, access: DataAccess) -> None:
        names = body.get("add_tags", ()) if self.choices.create_tags else ()
        found = access.find(TAG, names) if names else {}
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


def _linked_body(loaded: Loaded, access: DataAccess) -> Body:
    """Returns the body with the link to the person on this server, if it has a link. Raises OsdiError 400.

    Each attempt looks for the person: a batch that is given up may have created them with an id that no one has now.
    """
    if not loaded.linked:
        return loaded.body
    return {**loaded.body, "person_link": {"person": {"href": _local_link(access.store, loaded.linked)}}}


def _local_link(store: Store, keys: Sequence[str]) -> str:
    """Returns the link to the person on this server that has one of these keys. Raises OsdiError 400."""
    found = store.by_match_keys(PERSON.collection, keys)
    if not found:
        raise invalid("The person does not exist. Import the people first.")
    return f"/api/{PERSON.collection}/{found[0]['_id']}"


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
    return reason_of(error)
