"""The promises of docs/reliability.md, each with the test that holds it.

A row of the table of `make faults` is named as `row KEY`. tests/architecture checks that the tests and rows exist.
"""

from dataclasses import dataclass
from typing import Final

from faults.deployments import TRANSACTION_SECONDS
from faults.load import LATE_SECONDS
from osdi.settings.table import ServerSettings
from osdi.store.driver import SERVER_SELECTION_TIMEOUT_MS, SOCKET_TIMEOUT_MS
from osdi.store.transactions.stale_transactions import INACTIVE_SECONDS

UNAVAILABLE: Final = "tests/store/test_unavailable_database.py"
ERRORS: Final = "tests/faults/test_database_errors.py"
IDEMPOTENCY: Final = "tests/outreaches/test_idempotency.py"


@dataclass(frozen=True)
class Promise:
    """A promise in Markdown, and the names of its tests and rows."""

    text: str
    tests: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.tests:
            return self.text
        return f"{self.text} Test: {', '.join(f'`{each}`' for each in self.tests)}."


PROMISES: Final = (
    Promise(
        "**A response of 200 is durable.** A majority acknowledges and journals every write. On a replica set, person "
        "and outreach are one transaction. On a standalone the person is written first. A crash in between leaves at "
        "most a person without an outreach. The client's retry finds that person again, unless they have only a name.",
        (
            "tests/store/test_durability.py::test_every_acknowledged_write_is_journaled_on_a_majority",
            "tests/store/test_store.py::test_a_replica_set_writes_both_or_neither",
            "tests/faults/test_crash_on_standalone.py",
            "row mongod-killed",
        ),
    ),
    Promise(
        "**A request that changes nothing** (a repeated request, a sign-up or PUT without changes) is acknowledged "
        "only when the stored data is as durable as a write.",
        (f"{ERRORS}::test_a_repeated_post_waits_for_the_majority_like_a_write",),
    ),
    Promise(
        f"**Responses arrive** within {LATE_SECONDS:.0f} s in any failure; a platform's router gives up after 30.",
        (
            f"{UNAVAILABLE}::TestARequestThatHasWaited::test_an_operation_waits_for_the_remaining_time_only",
            "row mongod-hung",
        ),
    ),
    Promise(
        "**A client may repeat a request** as often as it likes, if the request has an outreach identifier or an "
        "`Idempotency-Key`: the unique index detects the repeat. A client that does not know the result of a request "
        "should send it again. A key is kept for a day.",
        (
            f"{IDEMPOTENCY}::test_the_same_identifier_is_the_same_outreach",
            f"{IDEMPOTENCY}::TestIdempotencyKey::test_the_same_key_and_body_is_the_same_outreach",
            f"{IDEMPOTENCY}::TestIdempotencyKey::test_a_key_is_free_again_after_a_day",
            "row responses-cut",
        ),
    ),
    Promise(
        f"**If the database is down**, requests wait up to {SERVER_SELECTION_TIMEOUT_MS / 1000:.0f} s from the moment "
        "when the driver notices it, which is longer than an election takes. The driver notices a database that hangs "
        f"after {SOCKET_TIMEOUT_MS / 1000:g} s. After that, every response is 503 with `Retry-After`, immediately, and "
        "no thread waits. When the database is back, the same workers continue within seconds; nothing has to be "
        "restarted.",
        (
            f"{UNAVAILABLE}::test_requests_fail_fast_while_the_database_is_down_and_recover",
            f"{UNAVAILABLE}::test_a_short_outage_causes_no_error",
            f"{ERRORS}::TestAServerThatHangs::test_fails_fast_and_recovers",
            "row mongod-away",
        ),
    ),
    Promise(
        "**SIGTERM** cuts no connection. gunicorn finishes the requests in progress, for up to 25 s, and serves "
        "kept-alive connections for 2 s more. A later connection is refused immediately, and its client tries again.",
        (
            "tests/operations/test_serving.py::test_a_request_that_is_under_way_is_finished_when_the_server_is_stopped",
            "tests/operations/test_stopping.py::test_queued_clients_are_served_after_a_stop",
            "row server-terminated",
        ),
    ),
    Promise(
        "**If a worker dies**, the requests that it was serving fail; their clients see a cut connection. If it dies "
        "inside a transaction, posts about the same people wait until another process finds the transaction idle and "
        f"ends it, after about {INACTIVE_SECONDS:.1f} s. MongoDB alone would keep the locks for {TRANSACTION_SECONDS} "
        "s here.",
        (f"{UNAVAILABLE}::test_locks_of_a_killed_process_are_released", "row worker-killed"),
    ),
    Promise(
        "**If the master dies**, its workers stop too. They serve the clients that have connected, and free the port "
        "for the next master.",
        (
            "tests/operations/test_stopping.py::test_workers_of_a_killed_master_end_and_free_the_port",
            "row master-killed",
        ),
    ),
    Promise(
        "**If mongod's disk is full**, mongod exits. Start it again once there is space; everything that it "
        "acknowledged is there.",
        ("row disk-full",),
    ),
    Promise(
        "**A client that sends slowly or not at all** delays no other client: the worker's loop collects a request, "
        f"and a thread works on it when it is complete. A client has {ServerSettings.head_seconds:.0f} s for its "
        f"headers and {ServerSettings.body_seconds:.0f} s for its body. The second test has 200 connections, and 5 new "
        "ones each second.",
        (
            "tests/operations/test_slow_clients.py"
            "::test_clients_have_five_seconds_for_a_head_and_eight_for_a_body_by_default",
            "tests/operations/test_slow_clients.py::test_two_hundred_clients_that_stop_delay_no_other_client",
        ),
    ),
    Promise(
        "**If the database is overloaded or interrupts an operation**, or if the outcome of a write is unknown, the "
        "response is 503 with `Retry-After`. The test has a table of MongoDB's error codes.",
        (f"{ERRORS}::test_an_unknown_outcome_or_overload_is_503_and_a_retry_records_once",),
    ),
    Promise(
        "**If a unique index is missing**, posts get 503 until `bin/osdi release` has created "
        "it; without it a post could be stored twice. `release` lists the ids of all documents that are in its way.",
        ("tests/operations/test_missing_unique_index.py",),
    ),
    Promise(
        "**If a machine's clock is wrong**, results stay right: ids, dates, totals, statistics and leases follow the "
        "database's clock, which each process compares with its own every 5 s. `/readyz` and the log report a "
        "difference of more than 5 s. The members of a replica set need NTP.",
        ("tests/operations/test_wrong_clocks.py",),
    ),
    Promise(
        "**If the memory for metrics is full** (`/dev/shm`), requests are served and nothing more is counted.",
        ("tests/operations/test_metrics.py::TestSharedFolder",),
    ),
    Promise(
        "**A merge, an erasure or a deletion that is interrupted** is completed by a worker some minutes later; a "
        "merge and an erasure also by the same request. Then nothing of an erased person is left, no outreach links to "
        "a missing person or campaign, and the survivor of a merge has everything of both.",
        (
            "tests/people/test_merge_recovery.py::test_an_interrupted_merge_is_completed",
            "tests/privacy/test_erasure_recovery.py::test_an_interrupted_erasure_can_be_completed",
            "tests/crud/test_deletion_recovery.py::test_a_worker_completes_a_deletion_whose_process_died",
            "row server-killed",
        ),
    ),
    Promise(
        "**An import that is running** does not bring back an erased person.",
        ("tests/importing/test_erased_meanwhile.py",),
    ),
    Promise(
        "**An import whose second process is killed** imports all rows, and neither process outlives the other.",
        ("tests/importing/loading/test_processes.py",),
    ),
    Promise(
        "**An import waits two minutes** for an unreachable database, also when it begins.",
        (
            "tests/importing/test_outreach_files.py"
            "::test_an_import_that_begins_while_the_database_is_unavailable_waits_for_it",
            "row mongod-away",
        ),
    ),
    Promise(
        "**`total_records` and `total_pages`** are right after an unclean shutdown of a standalone.",
        ("tests/store/test_collection_counts.py::test_totals_are_right_after_an_unclean_shutdown_of_a_standalone",),
    ),
    Promise(
        "**`total_outreaches`** is exact, whatever is deleted while it is counted.",
        (
            "tests/store/test_store.py::test_a_total_stays_exact_when_an_outreach_is_deleted_while_the_mark_moves",
            "tests/store/test_store.py::test_the_mark_does_not_move_between_the_two_writes_of_a_deletion",
            "tests/store/test_store.py::test_a_later_reader_completes_the_count_of_a_deletion_whose_process_died",
        ),
    ),
    Promise(
        "**A backup that is made while clients write** restores: each match key has one owner, each outreach's person "
        "exists.",
        ("tests/backup/test_backup_under_load.py",),
    ),
    Promise(
        "**A restore that fails** leaves the former data in service; after `kill -9`, `restore --recover` ends it.",
        ("tests/backup/test_failed_restore.py",),
    ),
    Promise(
        "**A backup's line** has at most 20 MB, so that a restore needs little memory.",
        ("tests/backup/test_backup.py",),
    ),
)

ADVICE: Final = (
    "**Clients should check the length of a response.** Some HTTP libraries accept a response that was cut within its "
    "headers as complete. If a response has no body, send the request again."
)
