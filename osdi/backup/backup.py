"""Backup and restore: the whole database as one compressed file, which is checked before it is restored.

The file is gzip of JSON lines. The header has the format, the date, the schema_version and the document count of each
collection. Then follows one line for each document, under its collection's name. The last line repeats the counts and
has the SHA-256 of all lines before it, so a cut, changed or foreign file is rejected as a whole.

A restore loads the file into staging collections, checks them there, and only then replaces the data in service.

A restored database does not send follow-ups that were queued in the backup: they have been sent since.
"""

import gzip
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO, Final

from osdi.access.signing_keys import ERASURE, SUPPRESSION
from osdi.action_functions.followup_kinds import LEASED, QUEUED, SKIPPED
from osdi.backup.archive import (
    FORMAT,
    HEADER,
    TRAILER,
    BadBackup,
    Header,
    document_line,
    header_fields,
    json_line,
    read_lines,
)
from osdi.backup.dump_store import exists, insert, reading, replace_document
from osdi.backup.links_store import Repaired, repair_links
from osdi.backup.staging_store import keep_digests, staging
from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError
from osdi.ids import now
from osdi.match_keys import MatchKeyRules, id_key
from osdi.operations.migrations import migrate, schema_version
from osdi.privacy.erasure import erase_again
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON
from osdi.store import Store
from osdi.store.indexes import SIGNING_KEYS, SUPPRESSIONS
from osdi.store.store import SETTLED
from osdi.store.writes import WEBHOOK_EVENTS, WEBHOOK_REJECTIONS
from osdi.suppression.suppression_store import apply_to_people, fill_from_people, unite

LEVEL: Final = 6
# Limits of one insert: documents, and bytes of their lines.
BATCH: Final = 500
BATCH_BYTES: Final = 8_000_000


# The fields of a campaign by which its outreaches are counted (see osdi.crud.totals_store).
COUNTS: Final = ("counted", "deletions", "deleting")

# The reason of a skipped follow-up that was queued when the backup was made.
RESTORED: Final = "restored"

# Sentences of a restore whose database has kept another key than that of the backup, by the purpose of the key.
OTHER_KEY: Final = {
    SUPPRESSION: "The suppression list of the backup has another key than this database, which was kept. Of the backup,"
    " only the opt-outs of people who are in it still count: opt out the people who had been deleted again.",
    ERASURE: "The tombstones of the backup have another key than this database, which was kept. An import may create"
    " people again who were erased before the backup.",
}

Progress = Callable[[int], None]


def write_backup(
    store: Store, file: BinaryIO, database: str, *, snapshot: bool, begin: Callable[[Header], Progress]
) -> Header:
    """Writes the whole database to the file. `begin` gets the header and returns the function that reports progress.

    Returns the header with the counts of what was written. Raises OsdiError 413 for a document that is too long, 503.
    """
    digest = hashlib.sha256()
    written: Counter[str] = Counter()
    with reading(store, snapshot=snapshot) as found, gzip.GzipFile("", "wb", LEVEL, file) as compressed:

        def put(lines: bytes) -> None:
            digest.update(lines)
            compressed.write(lines)

        one_moment = found.session is not None
        header = Header(schema_version(store), f"{now().isoformat()}Z", database, one_moment, found.counts)
        put(json_line({HEADER: FORMAT, **header_fields(header)}))
        progress = begin(header)
        for collection in found.collections():
            lines: list[bytes] = []
            size = 0
            for document in found.documents(collection):
                lines.append(document_line(collection, document))
                size += len(lines[-1])
                if len(lines) == BATCH or size >= BATCH_BYTES:
                    put(b"".join(lines))
                    written[collection] += len(lines)
                    progress(len(lines))
                    lines, size = [], 0
            put(b"".join(lines))
            written[collection] += len(lines)
            progress(len(lines))
        if one_moment and dict(written) != dict(found.counts):
            raise OsdiError(500, ErrorDescription("INCOMPLETE", f"Counted {found.counts}, but read {dict(written)}."))
        compressed.write(json_line({TRAILER: {"counts": dict(written), "sha256": digest.hexdigest()}}))
    return Header(header.schema_version, header.created_date, database, one_moment, dict(written))


def check_backup(file: BinaryIO) -> Header:
    """Reads the file to its end and returns its header. Raises BadBackup unless the file is complete and unchanged."""
    header: Header | None = None
    counts: Counter[str] = Counter()
    for each in read_lines(file):
        if isinstance(each, Header):
            header = each
        else:
            counts[each.collection] += 1
    assert header is not None  # `read_lines` rejects a file without a header
    return replace(header, counts=counts)


def restore_backup(
    store: Store,
    file: BinaryIO,
    header: Header,
    rules: MatchKeyRules,
    *,
    send_queued: bool,
    include_erased: bool = False,
    progress: Progress,
    report: Callable[[str], None] = lambda _: None,
) -> int:
    """Replaces the content of the database by a checked file, and migrates it to this program's schema.

    People who were erased from this database since the backup are erased again, unless `include_erased`; returns their
    number. `report` is called with a sentence for each kind of repair. All other processes reject requests until the
    restore has ended (see schema_version). Raises BadBackup if the file has changed since it was checked or has two
    documents with one unique value, and OsdiError 503; then the database has its former content.
    """
    store.skip_schema_check()
    with staging(store, header.schema_version) as staged:
        given_up, other_keys = 0, set[str]()
        for collection, batch in _batches(file):
            documents = [_loaded(collection, each, header, send_queued) for each in batch]
            given_up += _load(staged, collection, documents, header, rules)
            other_keys |= _kept_keys(staged, documents) if collection == SIGNING_KEYS else set()
            progress(len(batch))
        migrate(staged, rules, lambda _: None)
        keep_digests(store, staged)  # also those of an erasure that was running when the restore began
        _bring_opt_outs_together(staged, rules)
        _report_repairs(given_up, repair_links(staged, rules), report)
        for purpose in sorted(other_keys & OTHER_KEY.keys()):
            report(OTHER_KEY[purpose])
        # The tombstones of an erasure that was running are older than the backup, but it may contain the person.
        return 0 if include_erased else erase_again(staged, header.created - SETTLED, rules)


def _bring_opt_outs_together(staged: Store, rules: MatchKeyRules) -> None:
    """Gives the list the opt-outs of the restored people, and these people the opt-outs since the backup.

    If the backup is of another deployment, its list has digests that no key of this one makes: its people have the
    opt-outs.
    """
    for steps in (fill_from_people(staged, rules), apply_to_people(staged, rules)):
        for _ in steps:
            pass


def _batches(file: BinaryIO) -> Iterator[tuple[str, list[Document]]]:
    """Yields the documents of a file in batches of one collection each. Raises BadBackup."""
    batch: list[Document] = []
    within, size = "", 0
    for each in read_lines(file):
        if isinstance(each, Header):
            continue
        if batch and (each.collection != within or len(batch) == BATCH or size >= BATCH_BYTES):
            yield within, batch
            batch, size = [], 0
        within = each.collection
        batch.append(each.document)
        size += each.size
    if batch:
        yield within, batch


def _load(staged: Store, collection: str, documents: Sequence[Document], header: Header, rules: MatchKeyRules) -> int:
    """Inserts documents. If two share a match key, the document that was read later keeps the key.

    That happens in a backup that is not of one moment: a person was deleted and signed up again, or was merged, while
    the backup was made. The later document had the key when it was read, so the earlier one had lost it.

    Returns the number of documents that gave a key up. Raises BadBackup if the backup is of one moment, or another
    unique value is there twice.
    """
    if collection == SUPPRESSIONS:
        unite(staged, documents)
        return 0
    given_up = 0
    for document in insert(staged, collection, documents):
        if not header.one_moment and "match_keys" in document and not exists(staged, collection, document):
            for owner in staged.by_match_keys(collection, document["match_keys"]):
                replace_document(staged, collection, _without_keys(collection, owner, document["match_keys"], rules))
                given_up += 1
            if not insert(staged, collection, [document]):
                continue
        raise BadBackup(
            f"The document {document['_id']} of {collection} has an id or another unique value that an earlier document"
            " of the file has too. The file is damaged: use another backup."
        )
    return given_up


def _kept_keys(staged: Store, documents: Sequence[Document]) -> set[str]:
    """Returns the purposes of the signing keys of a backup that the database has kept another key for."""
    kept = {each["_id"]: each for each in staged.by_ids(SIGNING_KEYS, [each["_id"] for each in documents])}
    return {each["_id"] for each in documents if kept[each["_id"]]["key"] != each["key"]}


def _report_repairs(given_up: int, repaired: Repaired, report: Callable[[str], None]) -> None:
    """Reports the repairs of a backup that is not of one moment."""
    sentences = {
        "Documents that gave a match key up to a document that was read later: {}.": given_up,
        "Merged people who were also there by themselves, or were merged again: {}.": repaired.merged,
        "People who are not in the backup and whose outreaches stay without them: {}.": repaired.unlinked,
        "Tags, lists and questions that are not in the backup and were removed from people: {}.": repaired.entries,
    }
    for sentence, number in sentences.items():
        if number:
            report(sentence.format(number))


def _without_keys(collection: str, owner: Document, keys: Sequence[str], rules: MatchKeyRules) -> Document:
    """Returns the document without these match keys, and without the identifiers that they are made of."""
    lost = set(keys)
    kept = {**owner, "match_keys": [key for key in owner["match_keys"] if key not in lost]}
    if "identifiers" in owner:
        kept["identifiers"] = [each for each in owner["identifiers"] if id_key(each) not in lost]
    if collection == PERSON.collection:
        rules.set_derived_keys(kept)
    return {name: value for name, value in kept.items() if name != "identifiers" or value}


def _loaded(collection: str, document: Document, header: Header, send_queued: bool) -> Document:
    """Returns the document as it is stored: a count that is not of the moment of the documents is left out."""
    kept = document if send_queued else without_queued(collection, document)
    if collection == ADVOCACY_CAMPAIGN.collection and not header.one_moment:
        return {name: value for name, value in kept.items() if name not in COUNTS}
    return kept


def without_queued(collection: str, document: Document) -> Document:
    """Returns the document without queued webhook events, and with its queued follow-ups skipped."""
    kept = {name: value for name, value in document.items() if name not in (WEBHOOK_EVENTS, WEBHOOK_REJECTIONS)}
    if collection == OUTREACH.collection and "followups" in kept:
        kept["followups"] = [_skipped(each) for each in kept["followups"]]
    return kept


def _skipped(followup: Mapping[str, Any]) -> Mapping[str, Any]:
    if followup["state"] not in (QUEUED, LEASED):
        return followup
    kept = {name: value for name, value in followup.items() if name not in ("not_before", "lease")}
    return {**kept, "state": SKIPPED, "reason": RESTORED}
