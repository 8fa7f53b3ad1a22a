"""Attacks by tokens, methods and headers."""

from tests.attacks import BELOW_PEOPLE, BODIES, CODES, COLLECTIONS, HELPER, ONE, OPEN, OURS, SINGLE, SMALL, Attack

GUARDED = [
    *((method, path, body) for (method, path), body in BODIES.items() if (method, path) not in OPEN),
    *(("GET", path, None) for path in (*COLLECTIONS, *ONE, *BELOW_PEOPLE, *SINGLE)),
    *(("DELETE", path, None) for path in ONE),
    ("POST", "/webhooks/<webhook>/test", None),
    ("PUT", CODES, "postal_code,target"),
    ("DELETE", CODES, None),
]
WRITING = [
    *((method, path, body) for (method, path), body in BODIES.items()),
    *(("DELETE", path, None) for path in ONE),
    ("POST", "/webhooks/<webhook>/test", None),
    ("PUT", CODES, "postal_code,target"),
    ("DELETE", CODES, None),
]

TOKENS = [
    *("", " ", "x", "osdi_", "null", "undefined", "true", "0", "*", "x" * 201, "x" * 20_000, "nul\x01", "\u00ff" * 30),
    *(
        '{"$ne": null}',
        "[$ne]=x",
        "' or '1'='1",
        "<secret>x",
        "<secret>,<secret>",
        "Bearer <secret>",
        "<hash>",
        "<token>",
    ),
]
# Headers that are not a token, even with a valid one in them.
NOT_A_TOKEN: list[dict[str, str]] = [
    {"Authorization": "Bearer <secret>"},
    {"Cookie": "OSDI-API-Token=<secret>"},
    {"X-OSDI-API-Token": "<secret>"},
    {"OSDI_API_Token_": "<secret>"},
]
TOKEN_QUERIES = [
    "osdi-api-token=",
    "osdi-api-token=x",
    "osdi-api-token[$ne]=",
    "osdi-api-token=%00",
    "osdi-api-token=%7B%7D",
]

# TRACE would show cookies to a page, and CONNECT would make the server a proxy; the others are not supported.
METHODS = ("TRACE", "PATCH")
MORE_METHODS = ("CONNECT", "PROPFIND", "LOCK", "FOO", "POST/../GET")

STALE = ['"0"', 'W/"1"', '{"$ne": 1}']
MORE_STALE = ['"1', '"0", *', "1", '"<person>"', '"x"' + ',"y"' * 2_000, "\u00ff", "", ","]
HOSTS = ["a b", "osdi.example.org/evil", 'x"><script>', "user@osdi.example.org", "[", "a\\b", "a?b"]

ERASE = {"method": "DELETE", "path": "/people/<person>", "query": "erase=true"}

ATTACKS = [
    *(Attack("no token", method, path, 401, body, token=False) for method, path, body in GUARDED),
    *(
        Attack("a token that may only read", method, path, 403, body, token="<reader>")
        for method, path, body in WRITING
    ),
    *(Attack("erase", status=401, token=token, **ERASE) for token in (False, "osdi_wrong")),
    Attack("erase with a token that may only read", status=403, token="<reader>", **ERASE),
    *(Attack(f"erase another version {tag}"[:60], status=412, headers={"If-Match": tag}, **ERASE) for tag in STALE),
    *(Attack(f"token {token[:30]!r}", "GET", "/people", 401, token=token) for token in TOKENS if token),
    *(Attack(f"token {token[:30]!r}", "POST", HELPER, 401, SMALL, token=token) for token in TOKENS if token),
    Attack("an empty token", "POST", HELPER, 401, SMALL, headers={"OSDI-API-Token": ""}, token=False),
    *(Attack(f"{next(iter(each))}", "GET", "/people", 401, headers=each, token=False) for each in NOT_A_TOKEN),
    *(Attack(query, "GET", "/people", 401, query=query, token=False) for query in TOKEN_QUERIES),
    Attack("a wrong token in the address", "POST", HELPER, 401, SMALL, query="osdi-api-token=x", token=False),
    Attack("a token in the body", "POST", "/tags", 401, {"name": "x", "OSDI-API-Token": "<secret>"}, token=False),
    *(Attack("method", method, path, 405) for method in METHODS for path in (*COLLECTIONS, *ONE, *SINGLE, HELPER, "/")),
    *(Attack("method", method, path, 405) for method in MORE_METHODS for path in ("/people", HELPER)),
    *(Attack("method", method, path, 405) for method in ("PUT", "DELETE") for path in (*COLLECTIONS, HELPER, "/")),
    *(Attack("method", "POST", path, 405, "{}") for path in (*ONE, "/", "/people/<person>/outreaches", "/outreaches")),
    *(
        Attack("method", method, path, 405, "{}")
        for method in ("POST", "PUT", "DELETE")
        for path in SINGLE
        # A segment below /people could be a person's id.
        if (method, path) not in BODIES and (method == "POST" or path not in ("/people/duplicates", CODES))
    ),
    *(Attack("method", "GET", path, 405) for path in (HELPER, "/people/person_signup_helper")),
    *(Attack("method", method, path, 405) for method in ("PUT", "DELETE") for path in BELOW_PEOPLE),
    *(
        Attack(f"If-Match {tag[:20]}", method, path, 412, body, headers={"If-Match": tag})
        for path in ONE
        for method, body in (("PUT", "{}"), ("DELETE", None))
        for tag in (*STALE, *(MORE_STALE if "people" in path else ()))
    ),
    *(
        Attack(f"If-Match {tag[:20]}", "PUT", path, 412, BODIES["PUT", path], headers={"If-Match": tag})
        for path in OURS
        if ("PUT", path) in BODIES
        for tag in STALE
    ),
    *(
        Attack(f"Host {host}", method, path, 400, body, headers={"Host": host})
        for host in HOSTS
        for method, path, body in (("GET", "/people", None), ("GET", "/people/<person>", None))
    ),
    *(
        Attack(
            f"Idempotency-Key of {len(key)}", "POST", HELPER, 400, SMALL, headers={"Idempotency-Key": key}, token=token
        )
        for key in ("", "x" * 256, "\u00ff" * 300, "x" * 60_000)
        for token in (True, False)
    ),
    *(
        Attack(f"{header} does not change the method", "GET", HELPER, 405, headers={header: "POST"})
        for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    ),
]
