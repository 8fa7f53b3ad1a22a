"""Imports one body from a file or another server, by the rules of a POST with a token.

The steps: `load` has the schemas load the body, without its invalid cells; `prepare` does what only imports need
(resolve the link to the person, reject erased people, create tags, drop follow-ups); the attempt calls the code that
serves POSTs, which matches and merges the person, or records the outreach, and returns the outcome.

`load` reads reference data only. The other steps reach the data by a DataAccess: the database itself, or a batch
(osdi.importing.batches).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeVar

from osdi.access.tokens import IMPORTER, Caller
from osdi.crud.create import create
from osdi.crud.reference_cache import Reference
from osdi.documents import Document, Find, LoadBody
from osdi.errors import ErrorDescription, OsdiError, invalid
from osdi.importing.csv_files.column_mapping import LISTS, PEOPLE, TAGS
from osdi.importing.csv_files.row_bodies import Row
from osdi.importing.csv_files.row_consent import state_opt_out
from osdi.importing.report import KNOWN, RECORDED, Outcome
from osdi.importing.row_corrections import FirstNames, load_without_invalid
from osdi.importing.row_opt_outs import opt_out_everywhere
from osdi.importing.sources import Item
from osdi.match_keys import MatchKeys, id_key
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
MAX_REASON_LENGTH: Final = 500
NAME_ONLY: Final = "'{}' is only a name, and prevents no message. Say who opted out of what in a column or status."
LINK: Final = PERSON.rel
NO_MATCH_KEYS: Final = MatchKeys()
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
class Loaded:
    """A body as the schemas load it, with a warning for each value that was left out; or why it is rejected.

    `keys` are those of the person. `linked` are the identifiers, as keys, by which the person of a link is found.
    """

    body: dict[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    row: Row | None = None
    campaign: Document | None = None
    keys: MatchKeys = NO_MATCH_KEYS
    linked: Sequence[str] = ()
    rejected: str | None = None


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
        self._first_names = FirstNames()
        # The access of an import row by row.
        self.directly = DataAccess(self.store, self.reference.find, erased_in(self.store))
        # Names of the tags that the import has created, in their order; the values mean nothing.
        self.created_tags: dict[str, None] = {}

    def load(
        self, written: Body, campaign: str | None = None, namespace: str | None = None, row: Row | None = None
    ) -> Loaded:
        """Loads a body, and finds its campaign. Raises OsdiError 503.

        `campaign` is the id of the campaign that an outreach names; `namespace` is that of the ids in its links. `row`
        is the row of a CSV file from which the body was made: its invalid cells are left out.
        """
        try:
            return self.retry_while_unavailable(lambda: self._load(written, campaign, namespace, row))
        except OsdiError as error:
            return Loaded(rejected=_reason(error))

    def load_item(self, item: Item) -> Loaded:
        """Returns an item of a source as `load` returns its body. Raises OsdiError 503."""
        if item.body is None:
            return Loaded(rejected=item.rejected)
        return self.load(item.body, item.campaign, item.namespace, item.row)

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

    def _load(self, written: Body, campaign: str | None, namespace: str | None, row: Row | None) -> Loaded:
        linked: Sequence[str] = ()
        if self.kind != PEOPLE:
            written, linked = self._without_foreign_links(written, namespace)
        body, warnings = self._loaded(written, row)
        resolved = self._campaign(campaign, namespace) if self.kind != PEOPLE else None
        if self.choices.silent:
            body.pop("triggers", None)
        keys = self.settings.match_key_rules.match_keys(body.get("person", {}), trusted=True)
        if not keys.all and "person_link" not in body:
            reasons = [*warnings, *(row.unreadable if row is not None else ())]
            return Loaded(rejected=reasons[0] if reasons else NO_KEYS)
        return Loaded(body, warnings, row, resolved, keys, linked)

    def _prepare(self, loaded: Loaded, access: DataAccess) -> Prepared:
        body, row, keys = loaded.body, loaded.row, loaded.keys.all
        if loaded.linked:
            body["person_link"] = {"person": {"href": _local_link(access.store, loaded.linked)}}
        if not self.choices.include_erased and keys and access.is_erased(keys):
            return Prepared(rejected=ERASED)
        self._create_tags(body)
        warnings = list(loaded.warnings)
        if row is not None:
            warnings = [*row.warnings, *warnings, *self._first_names.correct(body.get("person", {}))]
        named = [(name, each) for name in (TAGS, LISTS) for each in body.get(name, ()) if state_opt_out((each,))]
        warnings += (f"{name}: {NAME_ONLY.format(each)}" for name, each in named)
        link = [body["person_link"]["person"]["href"]] if "person_link" in body else []
        all_keys = frozenset((*keys, *link, *(f"outreach:{each}" for each in body.get("identifiers", ()))))
        opted_out = frozenset(row.consent.opted_out) if row is not None else frozenset()
        if loaded.campaign is None:
            write = partial(self._sign_up, body, opted_out, keys)
        else:
            caller = self.choices.caller
            request = HelperRequest(body=body, campaign=loaded.campaign, caller=caller, imported=True)
            write = partial(self._record, request, opted_out, keys)
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

    def _sign_up(self, body: Body, opted_out: Collection[str], keys: Sequence[str], access: DataAccess) -> Outcome:
        check = self._erasure_check(access, keys)
        signed_up = sign_up(access.store, access.find, body, self.choices.caller, self.settings, check=check)
        warnings = (*_sentences(signed_up.warnings), *self._opt_out(access, signed_up.person["_id"], opted_out))
        return Outcome(signed_up.outcome, signed_up.matched_by, warnings=warnings)

    def _record(
        self, request: HelperRequest, opted_out: Collection[str], keys: Sequence[str], access: DataAccess
    ) -> Outcome:
        check = self._erasure_check(access, keys)
        recorded = record_outreach(access.store, access.find, request, self.settings, check=check)
        warnings = (
            *_sentences(recorded.warnings),
            *self._opt_out(access, recorded.outreach.get("person_id", ""), opted_out),
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

    def _without_foreign_links(self, written: Body, namespace: str | None) -> tuple[Body, Sequence[str]]:
        """Returns the body without links of another server, and the keys of the person that its link names.

        The person is found by the identifier that the other server gave them, once the row is prepared.
        """
        links = written.get("_links")
        link = links.get(LINK) if isinstance(links, Mapping) else None
        href = link.get("href") if isinstance(link, Mapping) else None
        if not isinstance(href, str) or "person" in written:
            return {name: value for name, value in written.items() if name != "_links"}, ()
        person_id = href.rstrip("/").rpartition("/")[2]
        keys = [id_key(f"{each}:{person_id}") for each in (namespace, self.settings.namespace) if each]
        return {**written, "_links": {LINK: {"href": _link_to("linked")}}}, list(dict.fromkeys(keys))


def _local_link(store: Store, keys: Sequence[str]) -> str:
    """Returns the link to the person on this server that has one of these keys. Raises OsdiError 400."""
    found = store.by_match_keys(PERSON.collection, keys)
    if not found:
        raise invalid("The person does not exist. Import the people first.")
    return _link_to(found[0]["_id"])


def _link_to(person_id: str) -> str:
    return f"/api/{PERSON.collection}/{person_id}"


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
    return str(error.body()["error"])[:MAX_REASON_LENGTH]
