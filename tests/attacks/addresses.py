"""Attacks by addresses that do not exist, and by invalid query arguments."""

from urllib.parse import quote

from tests.attacks import COLLECTIONS, DOWNLOADS, HELPER, LINKED, MERGED, ONE, SMALL, STATS, Attack

# Ids that do not exist, as written in an address.
IDS = ["%00", "<person>%00", "%7B%22%24ne%22%3Anull%7D", "..", "%0d%0aSet-Cookie:%20a=b"]
MORE_IDS = [
    *("%24ne", "[$ne]=x", "%2e%2e", "%252e%252e", "x" * 3_000, "%ff%fe", "%ED%A0%80", "%E2%80%AE", "<person>%20"),
    *("<person>;a=b", "-1", "null", "*", "';return%20true;--", "<script>", "%F0%9F%8C%8A"),
]

# Resources under the address of another resource.
ELSEWHERE = [
    "/advocacy_campaigns/<other_campaign>/outreaches/<outreach>",
    "/advocacy_campaigns/<outreach>/outreaches/<outreach>",
    "/advocacy_campaigns/$ne/outreaches/<outreach>",
    "/advocacy_campaigns/<campaign>/outreaches/<person>",
    "/tags/<other_tag>/taggings/<tagging>",
    "/tags/<list>/taggings/<item>",
    "/tags/<tag>/taggings/<item>",
    "/tags/<tag>/taggings/<answer>",
    "/lists/<list>/items/<tagging>",
    "/lists/<tag>/items/<item>",
    "/lists/<other_tag>/items/<item>",
    "/questions/<question>/answers/<tagging>",
    "/questions/<person>/answers/<answer>",
    "/people/<tag>",
    "/people/<token>",
    "/tags/<person>",
    "/tags/<list>",
    "/lists/<tag>",
    "/questions/<message>",
    "/messages/<question>",
    "/messages/<wrapper>",
    "/wrappers/<message>",
    "/advocacy_campaigns/<person>",
]
UNDER_NOBODY = [
    "/advocacy_campaigns/<person>/outreaches",
    "/advocacy_campaigns/<person>/anonymous_posts",
    "/advocacy_campaigns/<person>/triggers",
    "/advocacy_campaigns/<person>/page",
    "/advocacy_campaigns/<person>/page/postal_codes",
    "/advocacy_campaigns/<person>/outreaches.csv",
    "/advocacy_campaigns/%24ne/outreaches.csv",
    "/advocacy_campaigns/<person>/stats",
    "/advocacy_campaigns/$ne/stats",
    "/people/<tag>/outreaches",
    "/people/<tag>/taggings",
    "/people/%24ne/items",
    "/people/%00/answers",
    "/tags/<list>/taggings",
    "/lists/<tag>/items",
    "/questions/<tag>/answers",
]

# Paths outside of the API's own; the root itself is served.
PATHS = [
    *("//api/v1/people", "/api//v1/people", "/api/v1//people", "/api/v1/people//<person>", "/api/v1/people//"),
    *(
        "/api/v1/../v1/people",
        "/api/v1/./people",
        "/api/v1/people/<person>/..",
        "/api/v1/%2e%2e/people",
        "/api/v1/%2570eople",
    ),
    *(
        "/api/v1/People",
        "/API/v1/people",
        "/api/v2/people",
        "/api/v1/nothing",
        "/api/people",
        "/api/v1/people.json",
        "/api/v1/tags.csv",
        "/api/v1/people/<person>/outreaches.csv",
        "/api/v1/people;a=b",
    ),
    *(
        "/api/v1/people%00",
        "/api/v1/people%0a",
        "/api/v1/\\people",
        "/api/v1/tokens",
        "/api/v1/tokens/<token>",
        "/api/v1/followups/<outreach>",
    ),
    *("/api/v1/people/<person>/match_keys", "/api/v1/people/<person>/tags/<tag>", "/api/v1/people/$where"),
    *("/.env", "/.git/config", "/api/v1/system.users", "/api/v1/admin", "/api/v1/people/<person>/triggers/<outreach>"),
]

PAGES = [
    *("/docs/v1/..", "/docs/v1/%2e%2e%2fapp.py", "/docs/v1/%7B%7B7*7%7D%7D", "/docs/v1/<script>", "/docs/v1/__class__"),
    *("/docs/assets/x/..%2f..%2fapp.py", "/docs/assets/%2e%2e/%2e%2e", "/docs/assets/x/explorer.js", "/static/app.py"),
    *("/docs/assets/x/%00", "/openapi.yaml", "/console", "/wsgi.py", "/debug"),
]

# Invalid arguments for every collection.
QUERIES = ["page=0", "page=1e3", "page=" + "9" * 100, "per_page=-1", "after=" + "x" * 101, "filter=%24where%20eq%20'1'"]
MORE_QUERIES = [
    *("page=-1", "page=x", "page=1.5", "page=NaN", "page=0x1", "page=%00", "page=1%00", "page=" + "1" * 5_000),
    *("page=%C2%B2", "page=1000000001", "page=1;drop", "page=", "page=true", "per_page=0", "per_page=1e9", "per_page="),
    *(
        "per_page=" + "9" * 20,
        "per_page=%7B%22%24gt%22:1%7D",
        "before=" + "x" * 101,
        "after=",
        "after=a&before=" + "b" * 200,
    ),
    *("filter=" + "x" * 2_001, "filter=%7B%22%24ne%22:1%7D", "filter='"),
]
DOWNLOAD_QUERIES = [
    *("filter=%24where%20eq%20'1'", "filter=" + "x" * 2_001, "filter='", "bom=perhaps", "bom=", "bom=%00"),
    "filter=advocacy_campaign_id%20eq%20'<other_campaign>'",
]
EXPANDS = [
    "$expand=osdi:nothing",
    "$expand=_id",
    "$expand=%00",
    "$expand=$where",
    "$expand=" + "x" * 501,
    "$expand=osdi:token",
]
EXPANDED = [
    *(
        "/advocacy_campaigns/<campaign>/outreaches",
        "/outreaches",
        "/people",
        "/people/<person>",
        "/people/<person>/taggings",
    ),
    *("/tags/<tag>/taggings/<tagging>", "/questions/<question>/answers/<answer>", "/lists/<list>/items"),
    "/advocacy_campaigns/<campaign>/outreaches/<outreach>",
]

# Invalid arguments for statistics: time zones that are files, and days out of range.
STATS_QUERIES = [
    *("time_zone=", "time_zone=x", "time_zone=Europe", "time_zone=europe/berlin", "time_zone=Europe/Berlin%00"),
    *("time_zone=../../../etc/passwd", "time_zone=/etc/localtime", "time_zone=localtime", "time_zone=posixrules"),
    *("time_zone=" + "x" * 101, "time_zone=%2b02:00", "time_zone=posix/UTC", "time_zone=%7B%22%24ne%22:1%7D"),
    *("time_zone=Europe/Berlin/..", "time_zone=%ff", "time_zone=%E2%80%AE", "time_zone=tzdata.zi", "time_zone=UTC%0a"),
    *("from=", "from=x", "from=2026-02-30", "from=2026-1", "from=2026-11-01T00:00:00Z", "from=0001-01-01"),
    *("from=1899-12-31", "from=2200-01-01", "from=" + "9" * 5_000, "from=%00", "from=NaN", "from=20261101", "from=-1"),
    *("to=", "to=9999-12-31", "to=2026-11-25%00", "to=1899-12-31", "to=today", "to=2026-W01-1", "to=2026-11-25;x"),
    *("from=2026-11-02&to=2026-11-01", "from=2025-01-01&to=2026-01-02", "from=1900-01-01&to=2199-12-31"),
]

FILTERS = [
    "_id eq '<person>'",
    "match_keys eq 'id:x'",
    "contact_keys eq 'email:person@example.com'",
    "version gt 0",
    "creator_id ne null",
    "$where eq '1'",
    "{'$gt': ''}",
    "given_name eq {'$gt': ''}",
    "given_name eq ['a']",
    "given_name $ne 'a'",
    "given_name eq 'a' || true",
    "given_name eq 'a'; true",
    "given_name eq 'a' --",
    "given_name eq 'a\x00'",
    "given_name eq 'a",
    "given_name eq 1",
    "given_name eq null null",
    "given_name regexp '(a+)+$'",
    "given_name re '(a+)+$'",
    "near(postal_code, '10011', 5)",
    "sleep(1000)",
    "given_name()",
    "contains(given_name, contains(given_name, 'a'))",
    "custom_fields/'$where' gt 1",
    "custom_fields/'a.$b' eq 1",
    "custom_fields/'' eq '1'",
    "custom_fields/a/b eq '1'",
    "custom_fields eq '1'",
    "birthdate/year eq " + "9" * 100,
    "birthdate/year eq 1e3",
    "birthdate/year eq 'x'",
    "created_date gt '0001-01-01T00:00:00+14:00'",
    "created_date gt '9999-12-31T23:59:59-14:00'",
    "created_date gt '2014-02-30'",
    "created_date gt 0",
    "email_address eq '" + "a" * 300 + "'",
    "phone_number eq '" + "1" * 300 + "'",
    "(" * 33 + "given_name eq 'a'" + ")" * 33,
    "(" * 1_900,
    "not " * 450 + "given_name eq 'a'",
    " or ".join(["given_name eq 'a'"] * 51),
    "and " * 500,
    "'" * 1_999,
    "given_name/" * 180 + "x eq 'a'",
    "\u202egiven_name eq 'a'",
    "given_name\u200b eq 'a'",
    "\uff47iven_name eq 'a'",
]

DUPLICATES = [
    *("per_page=0", "per_page=-1", "per_page=x", "per_page=1e3", "per_page=" + "9" * 100, "per_page="),
    *("after=", "after=" + "x" * 101, "per_page=%7B%22%24gt%22:1%7D"),
]
# Invalid people for a merge.
NOBODY = ["nobody", "%24ne", "%00", "..", "x" * 3_000, "<person>%20", "[$ne]=x", "", "<tag>", "<person>/merge"]
MERGING = "/people/<person>/merge"

METHODS = ("GET", "PUT", "DELETE")

# Erasing deletes more than a DELETE, so an invalid argument is rejected.
ERASE = "erase=true"
ERASURES = [
    *(("erase=perhaps", "erase"), ("erase=", "erase"), ("erase=true&outreaches=", "outreaches")),
    *(("erase=true&outreaches=all", "outreaches"), ("erase=true&outreaches=DELETE", "outreaches")),
    *(("outreaches=delete", "outreaches"), ("erase=false&outreaches=delete", "outreaches")),
    *(("erase[]=true&outreaches=keep", "outreaches"), ("erase=true&outreaches=%00", "outreaches")),
]
# A collection of documents, one of entries over all people, one of a person's entries.
ENTRIES = ("/people", "/tags/<tag>/taggings", "/people/<person>/answers")

ATTACKS = [
    *(
        Attack(f"id {wrong[:40]}", method, f"{path.rpartition('/')[0]}/{wrong}", 404, "{}" if method == "PUT" else None)
        for path in ONE
        for wrong in IDS
        for method in METHODS
    ),
    *(
        Attack(f"id {wrong[:40]}", "GET", f"{path.rpartition('/')[0]}/{wrong}", 404)
        for path in ONE
        for wrong in MORE_IDS
    ),
    *(
        Attack("elsewhere", method, path, 404, "{}" if method == "PUT" else None)
        for path in ELSEWHERE
        for method in METHODS
    ),
    *(Attack("under nobody", "GET", path, 404) for path in UNDER_NOBODY),
    *(
        Attack(f"campaign {wrong[:40]}", "POST", HELPER.replace("<campaign>", wrong), 404, SMALL, token=token)
        for wrong in (*IDS, *MORE_IDS)
        for token in (True, False)
    ),
    *(Attack("path", method, path, 404, root="") for path in PATHS for method in ("GET", "DELETE")),
    *(Attack("page", "GET", path, 404, root="", token=False) for path in PAGES),
    *(Attack(query[:40], "GET", path, 400, query=query) for path in COLLECTIONS for query in QUERIES),
    *(Attack(query[:40], "GET", path, 400, query=query) for path in ENTRIES for query in MORE_QUERIES),
    *(Attack(query[:40], "GET", path, 400, query=query) for path in EXPANDED for query in EXPANDS),
    *(
        Attack(f"filter {text[:40]!r}", "GET", "/people", 400, query=f"filter={quote(text)}", names="filter")
        for text in FILTERS
    ),
    *(
        Attack(f"filter {text[:40]!r}", "GET", "/people.csv", 400, query=f"filter={quote(text)}", names="filter")
        for text in FILTERS
    ),
    *(Attack(query[:40], "GET", path, 400, query=query) for path in DOWNLOADS for query in DOWNLOAD_QUERIES),
    *(Attack(query[:40], "GET", "/people/duplicates", 400, query=query) for query in DUPLICATES),
    *(
        Attack(f"merging {wrong[:40]}", "POST", MERGING, 400, {"_links": {"osdi:person": {"href": f"/people/{wrong}"}}})
        for wrong in NOBODY
    ),
    *(
        Attack(f"into {wrong[:40]}", "POST", f"/people/{wrong}/merge", 404, MERGED)
        for wrong in ("nobody", "%24ne", "%00", "<tag>", "<token>", "x" * 3_000)
    ),
    Attack("merging somebody into themselves", "POST", MERGING, 400, LINKED),
    Attack("merging who is somebody else", "POST", "/people/<other_person>/merge", 409, MERGED),
    Attack("deleting by the address of who was merged", "DELETE", "/people/<merged>", 409),
    Attack(
        "changing what was read of who was merged", "PUT", "/people/<merged>", 412, "{}", headers={"If-Match": '"1"'}
    ),
    *(
        Attack(query[:40], "GET", STATS, 400, query=query, names=query.partition("=")[0])
        for query in STATS_QUERIES[:-3]
    ),
    *(Attack(query, "GET", STATS, 400, query=query, names="to") for query in STATS_QUERIES[-3:]),
    Attack("force=perhaps", "DELETE", "/advocacy_campaigns/<campaign>", 400, query="force=perhaps"),
    Attack("force[$ne]=0", "DELETE", "/advocacy_campaigns/<campaign>", 409, query="force[$ne]=0"),
    *(Attack(query, "DELETE", "/people/<person>", 400, query=query, names=names) for query, names in ERASURES),
    *(Attack(f"erase {wrong[:40]}", "DELETE", f"/people/{wrong}", 404, query=ERASE) for wrong in (*IDS, *MORE_IDS)),
    *(
        Attack(f"erase {other}", "DELETE", f"/people/{other}", 404, query=ERASE)
        for other in ("<tag>", "<outreach>", "<token>", "<campaign>", "<tagging>", "<webhook>")
    ),
]
