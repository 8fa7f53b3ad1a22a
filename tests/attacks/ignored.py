"""Requests that get 200 by design and must have no effect: the server ignores the fields that they try to set."""

from typing import Any

from tests.attacks import BODIES, COLLECTIONS, ONE, OPEN, SINGLE, Attack
from tests.attacks.addresses import ENTRIES

MARK = "attacker-7f3a"
YEAR = "1999"
NUMBER = 424_242

# Fields that only the server sets, and names with a meaning in MongoDB or JavaScript.
ENTRY = {"_id": MARK, "tag_id": MARK, "list_id": MARK, "kind": MARK}
COUNTS = {"outreaches": NUMBER, "sent": MARK}
SET: dict[str, Any] = {
    **dict.fromkeys(("_id", "id", "creator_id", "modified_by_id", "person_id", "advocacy_campaign_id", "tag_id"), MARK),
    **dict.fromkeys(("list_id", "question_id", "wrapper_id", "hash", "fingerprint", "$where", "__proto__"), MARK),
    **dict.fromkeys(("constructor", ""), MARK),
    **{name: [MARK] for name in ("match_keys", "contact_keys", "claimed_identifiers", "scopes", "match_keys.0")},
    **dict.fromkeys(("version", "total_outreaches", "total_items", "total_targeted", "idempotency"), NUMBER),
    **dict.fromkeys(("created_date", "modified_date", "last_used_date", "expires_date"), f"{YEAR}-01-01T00:00:00Z"),
    **dict.fromkeys(
        ("$set", "$unset", "$inc", "$push", "_embedded", "statistics", "counted", "anonymous_posts"), COUNTS
    ),
    **{name: [ENTRY] for name in ("taggings", "items", "followups")},
}
LINKS = {"self": {"href": MARK}, "osdi:creator": {"href": MARK}, "curies": [{"name": MARK}]}


def with_set(body: dict[str, Any]) -> dict[str, Any]:
    """Returns the body with all fields of SET, also in its person."""
    inner = {"person": {**SET, **body["person"]}} if "person" in body else {}
    return {**SET, **body, **inner, "_links": {**LINKS, **body.get("_links", {})}}


# Arguments that change nothing. A cursor is an id, and any text has a place in the order of ids.
QUERIES = [
    "filter[$ne]=x",
    "_method=DELETE",
    "after=%00",
    "before=<tag>",
    "page=1&page=x",
    "page=1000000000&per_page=1000000000",
]
MORE_QUERIES = [
    *(
        "$where=sleep(1000)",
        "filter[]=x",
        "after[$gt]=",
        "page[$gt]=0",
        "_id[$ne]=x",
        "match_keys=x",
        "after=%ED%A0%80",
        "after=zzzz",
        "after=0",
        "after=<person>",
        "before=%7B%7D",
        "before=0",
    ),
    *("after=a&before=b", "page=%D9%A1", "filter="),
    *(
        "force=true",
        "erase=true",
        "erase=true&outreaches=delete",
        "callback=alert",
        "background_request=true",
        "a=" + "b" * 5_000,
        "%00=%00",
    ),
]
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
HEADERS: list[dict[str, str]] = [
    {"Prefer": "handling=strict=;;,,=" * 500},
    {"Prefer": 'handling="strict'},
    {"If-Match": '"0"'},
    {"Accept": "text/html"},
    {"Accept": "../../etc/passwd"},
    {"Accept-Encoding": "\x01"},
    {"Authorization": "Basic !!!"},
    {"Cookie": 'a="\\'},
    {"Range": "bytes=0-1,2-3,4-" + ",5-" * 1_000},
    {"X-Forwarded-Host": "attacker-7f3a.example"},
    {"X-Forwarded-For": "127.0.0.1, ' or 1=1"},
    {"Forwarded": "host=attacker-7f3a.example"},
    {"X-Original-URL": "/api/v1/tokens"},
    {"Content-Type": "\u00ff" * 500},
    {"If-None-Match": "*"},
    {"If-Modified-Since": "yesterday"},
    {"Expect": "a miracle"},
]

READ = (*COLLECTIONS, *ONE, *SINGLE)

SETTING = [
    *(
        Attack("sets what is the server's", method, path, 200, with_set(body))
        for (method, path), body in BODIES.items()
    ),
    *(Attack("sets it without a token", *route, 200, with_set(BODIES[route]), token=False) for route in sorted(OPEN)),
]
READING = [
    *(Attack(query[:40], "GET", path, 200, query=query) for path in COLLECTIONS for query in QUERIES),
    *(Attack(query[:40], "GET", path, 200, query=query) for path in ENTRIES for query in MORE_QUERIES),
    *(
        Attack(f"{header}: DELETE", "GET", path, 200, headers={header: "DELETE"})
        for path in ONE
        for header in OVERRIDES
    ),
    *(Attack(str(each)[:40], "GET", "/people/<person>", 200, headers=each) for each in HEADERS),
    *(Attack("a body", "GET", path, 200, {"_method": "DELETE", "$set": {"a": 1}}) for path in READ),
    *(Attack("HEAD", "HEAD", path, 200) for path in READ),
    *(Attack("OPTIONS", "OPTIONS", path, 200, "{}", token=False) for path in READ),
]
