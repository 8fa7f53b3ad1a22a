"""Attacks by invalid bodies, for every route and for single fields."""

import gzip
import json
from typing import Any

from tests.attacks import BODIES, CODES, DOOR, HELPER, LIMIT, LINKED, OPEN, OURS, PAGE, SMALL, TRIGGERS, Attack

SENT = json.dumps(SMALL)
STRICT = {"Prefer": "handling=strict"}


def nested(depth: int) -> str:
    """Returns JSON with arrays and objects nested this deep, in an unknown field."""
    return '{"x": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


# Invalid for every route: name, body, headers, text in the error message.
EVERYWHERE: list[tuple[str, Any, dict[str, str], str]] = [
    ("cut JSON", '{"name": "x"', {}, "JSON"),
    ("a form", "name=x", {"Content-Type": "application/x-www-form-urlencoded"}, "JSON"),
    ("33 deep", nested(33), {}, "32 deep"),
    ("past the limit", '{"x": "' + "x" * LIMIT + '"}', {}, "262144"),
]
# More invalid bodies, for one route only: all routes read bodies with the same code.
SOMEWHERE: list[tuple[str, Any, dict[str, str], str]] = [
    ("no body", "", {}, "JSON"),
    ("two documents", "{}{}", {}, "JSON"),
    ("single quotes", "{'name': 'x'}", {}, "JSON"),
    ("a comment", '{"name": "x" /* y */}', {}, "JSON"),
    ("NaN", '{"x": NaN}', {}, "JSON"),
    ("-Infinity", '{"x": -Infinity}', {}, "JSON"),
    ("lone surrogate", '{"x": "\\udc00"}', {}, "JSON"),
    ("surrogates the wrong way round", '{"x": "\\ude00\\ud83d"}', {}, "JSON"),
    ("a surrogate as a name", '{"\\ud800": 1}', {}, "JSON"),
    ("raw control character", '{"x": "a\nb"}', {}, "JSON"),
    ("overlong UTF-8", b'{"x": "\xc0\xaf"}', {}, "JSON"),
    ("byte order mark", b"\xef\xbb\xbf" + SENT.encode(), {}, "JSON"),
    ("UTF-16", SENT.encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"}, "JSON"),
    ("UTF-32", SENT.encode("utf-32-le"), {}, "JSON"),
    ("gzip", gzip.compress(SENT.encode()), {"Content-Encoding": "gzip"}, "JSON"),
    ("a form of parts", "--b\r\n\r\nx\r\n--b--", {"Content-Type": "multipart/form-data; boundary=b"}, "JSON"),
    ("XML", "<name>x</name>", {"Content-Type": "application/xml"}, "JSON"),
    ("15,000 unknown names, taken strictly", {f"{name:x}": 0 for name in range(15_000)}, STRICT, "Unknown field"),
    ("1,000 deep", nested(1_000), {}, "32 deep"),
    ("100,000 deep", "[" * 100_000, {}, "JSON"),
    ("past the limit, of combining characters", '{"x": "' + "\u0301" * LIMIT + '"}', {}, "262144"),
]
# Invalid for every resource.
RESOURCES: list[tuple[str, Any, dict[str, str], str]] = [
    ("an array", [SMALL], {}, "object"),
    ("a string", '"x"', {}, "object"),
    ("a number", "1e308", {}, "object"),
    ("operator for identifiers", {"identifiers": {"$ne": None}}, {}, "identifiers"),
    ("operator among identifiers", {"identifiers": [{"$gt": ""}]}, {}, "identifiers"),
    ("an identifier with NUL", {"identifiers": ["a:\x00"]}, {}, "identifiers"),
    ("an identifier of two lines", {"identifiers": ["a:b\r\nSet-Cookie: c=d"]}, {}, "identifiers"),
    ("201 identifiers", {"identifiers": [f"a:{number}" for number in range(201)]}, {}, "identifiers"),
    ("text for osdi:control", {"osdi:control": "x"}, {}, "osdi:control"),
    ("an operator, taken strictly", {"$where": "sleep(1000)"}, STRICT, "$where"),
    ("its id, taken strictly", {"_id": "x"}, STRICT, "_id"),
    ("its keys, taken strictly", {"match_keys": ["x"]}, STRICT, "match_keys"),
]

# An invalid field of a person or outreach in a helper's body, and the text in the error message.
PERSON: list[tuple[dict[str, Any], str]] = [
    ({"given_name": {"$gt": ""}}, "given_name"),
    ({"family_name": ["$ne"]}, "family_name"),
    ({"given_name": "x" * 1_001}, "given_name"),
    ({"browser_url": "x" * 10_001}, "browser_url"),
    ({"source": "a\x00"}, "source"),
    ({"custom_fields": {"": "1"}}, "custom_fields"),
    ({"custom_fields": {"$set": {"a": "1"}}}, "custom_fields.$set"),
    ({"custom_fields": {"a.$b": {"$ne": 1}}}, "custom_fields.a.$b"),
    ({"custom_fields": {"x" * 201: "1"}}, "custom_fields"),
    ({"custom_fields": {"a": [{"b": 1}]}}, "custom_fields.a"),
    ({"custom_fields": {"a": {"$ne": 1}}}, "custom_fields.a"),
    ({"custom_fields": {"a": "\x00"}}, "custom_fields.a"),
    ({"custom_fields": {"a": 2**64}}, "custom_fields.a"),
    ({"custom_fields": {"a": -(2**63) - 1}}, "custom_fields.a"),
    ({"custom_fields": {"a": 1e308}}, "custom_fields.a"),
    ({"custom_fields": {"a": "x" * 10_001}}, "custom_fields.a"),
    ({"custom_fields": {f"n{number}": "1" for number in range(201)}}, "custom_fields"),
    ({"birthdate": {"year": 0}}, "birthdate.year"),
    ({"birthdate": {"year": 10_000}}, "birthdate.year"),
    ({"birthdate": {"month": 0}}, "birthdate.month"),
    ({"birthdate": {"day": 32}}, "birthdate.day"),
    ({"birthdate": {"year": {"$gt": 0}}}, "birthdate.year"),
    ({"birthdate": [1973]}, "birthdate"),
    ({"email_addresses": [{"address": "jane@example.com\r\nBcc: all@example.com"}]}, "address"),
    ({"email_addresses": [{"address": "Jane <jane@example.com>"}]}, "address"),
    ({"email_addresses": [{"address": "jane@example.com,john@example.com"}]}, "address"),
    ({"email_addresses": [{"address": "jane@\u202emoc.elpmaxe"}]}, "address"),
    ({"email_addresses": [{"address": "a" * 64 + "@" + "b." * 95 + "com"}]}, "address"),
    ({"email_addresses": [{"address": "a@" + "-" * 250}]}, "address"),
    ({"email_addresses": [{"address": "a@" + "xn--" * 60}]}, "address"),
    ({"email_addresses": [{"address": "jane@example.com", "primary": {"$ne": False}}]}, "primary"),
    ({"email_addresses": [{"address": "jane@example.com", "primary": 2}]}, "primary"),
    ({"email_addresses": {"$each": [{"address": "x"}], "address": "x"}}, "address"),
    ({"email_addresses": [[{"address": "a@example.com"}]]}, "email_addresses[0]"),
    ({"email_addresses": "a@example.com"}, "email_addresses"),
    ({"phone_numbers": [{"number": "1" * 21}]}, "number"),
    ({"phone_numbers": [{"number": 2**64}]}, "number"),
    ({"phone_numbers": [{"number": 1.5}]}, "number"),
    ({"phone_numbers": [{"number": True}]}, "number"),
    ({"phone_numbers": [{"number": "(" * 40}]}, "number"),
    ({"phone_numbers": [{"number": "12"}]}, "number"),
    ({"phone_numbers": [{"number": "\u00b2" * 10}]}, "number"),
    ({"phone_numbers": [{"number": f"20155501{number}"} for number in range(10, 21)]}, "phone_numbers"),
    ({"postal_addresses": [{"locality": str(number)} for number in range(11)]}, "postal_addresses"),
    ({"postal_addresses": [{"address_lines": ["x"] * 11}]}, "address_lines"),
    ({"postal_addresses": [{"postal_code": 2**70}]}, "postal_code"),
    ({"postal_addresses": [{"location": {"latitude": "nan"}}]}, "latitude"),
    ({"postal_addresses": [{"location": {"latitude": "1e400"}}]}, "latitude"),
    ({"postal_addresses": [{"location": {"longitude": "1" * 5_000}}]}, "longitude"),
    ({"postal_addresses": [{"location": {"longitude": True}}]}, "longitude"),
    ({"postal_addresses": [{"last_verified_date": "0001-01-01T00:00:00+01:00"}]}, "last_verified_date"),
    ({"profiles": [{"provider": {"$ne": 1}}]}, "profiles[0].provider"),
    ({"profiles": [{"provider": "x"}] * 51}, "profiles"),
    ({"division_info": [{"divisions": [{"name": {"$regex": "."}}]}]}, "divisions[0].name"),
    ({"division_info": [{"divisions": [{"name": "x"}] * 51}]}, "divisions"),
    ({"languages_spoken": ["x"] * 101}, "languages_spoken"),
    ({"employer_address": [{"venue": "x"}]}, "employer_address"),
    ({"gender": {"$in": ["Female"]}}, "gender"),
]
OUTREACH: list[tuple[dict[str, Any], str]] = [
    ({"duration": {"$gt": 0}}, "duration"),
    ({"duration": 2**31}, "duration"),
    ({"duration": 2**63}, "duration"),
    ({"duration": 0.5}, "duration"),
    ({"duration": 1e308}, "duration"),
    ({"duration": "1" * 5_000}, "duration"),
    ({"duration": "1e3"}, "duration"),
    ({"duration": "\u00b2"}, "duration"),
    ({"action_date": "0001-01-01T00:00:00+00:01"}, "action_date"),
    ({"action_date": "0000-01-01"}, "action_date"),
    ({"action_date": "10000-01-01"}, "action_date"),
    ({"action_date": "2014-02-30"}, "action_date"),
    ({"action_date": "2014-03-18T11:02:15+99:00"}, "action_date"),
    ({"action_date": "2014-03-18" + " " * 100}, "action_date"),
    ({"action_date": {"$date": 0}}, "action_date"),
    ({"message": {"$ne": ""}}, "message"),
    ({"notes": "x" * 64_001}, "notes"),
    ({"referrer_data": {"source": {"$ne": 1}}}, "referrer_data.source"),
    ({"referrer_data": {"url": "a\x00b"}}, "referrer_data.url"),
    ({"referrer_data": ["x"]}, "referrer_data"),
    ({"targets": [{"postal_addresses": [{"location": {"latitude": -91}}]}]}, "latitude"),
    ({"targets": [[]] * 60_000}, "targets"),
    ({"add_tags": [{"$ne": 1}]}, "add_tags[0]"),
    ({"add_tags": ["x" * 1_001]}, "add_tags[0]"),
    ({"add_tags_uri": ["\x00"]}, "add_tags_uri[0]"),
    ({"add_lists": [["x"]]}, "add_lists[0]"),
    ({"add_questions_responses_uri": [{"question": {"$ne": 1}}]}, "question"),
    ({"add_questions_responses_uri": [{"question": "<question>", "value": {"$ne": 1}}]}, "value"),
    ({"add_questions_responses_uri": [{"question": "<person>", "value": "x"}]}, "question"),
    ({"triggers": {"autoresponse": {"enabled": {"$ne": 1}}}}, "enabled"),
    ({"triggers": {"autoresponse": {"identifiers": ["\x00"]}}}, "identifiers"),
]
# method, path, body, text in the error message
ELSEWHERE: list[tuple[str, str, Any, str]] = [
    ("POST", "/tags", {"name": {"$ne": 1}}, "name"),
    ("POST", "/tags", {"name": "\u2003 "}, "name"),
    ("POST", "/tags", {"name": "x" * 1_001}, "name"),
    ("POST", "/lists", {"name": "a\x00"}, "name"),
    ("POST", "/lists", {"title": "no name"}, "name"),
    ("PUT", "/tags/<tag>", {"name": None}, "name"),
    ("PUT", "/lists/<list>", {"name": {"$unset": 1}}, "name"),
    ("PUT", "/lists/<list>", {"name": ""}, "name"),
    ("POST", "/questions", {"question_type": {"$in": []}}, "question_type"),
    ("POST", "/questions", {"question_type": "SingleChoice", "responses": [{"key": "a"}] * 501}, "responses"),
    ("POST", "/questions", {"question_type": "SingleChoice", "responses": [{"key": "a"}] * 2}, "responses"),
    ("POST", "/questions", {"question_type": "SingleChoice", "responses": [{"key": {"$ne": 1}}]}, "key"),
    ("PUT", "/questions/<question>", {"question_type": "SingleChoice"}, "responses"),
    ("PUT", "/questions/<question>", {"responses": {"key": "a"}}, "responses"),
    ("PUT", "/questions/<question>", {"question_type": None}, "question_type"),
    ("PUT", DOOR, {"enabled": {"$ne": 1}}, "enabled"),
    ("PUT", DOOR, {"origins": ["https://example.org\r\nSet-Cookie: a=b"]}, "origins"),
    ("PUT", DOOR, {"origins": ["https://example.org\n"]}, "origins"),
    ("PUT", DOOR, {"origins": ["javascript:alert(1)"]}, "origins"),
    ("PUT", DOOR, {"origins": [{"$ne": 1}]}, "origins"),
    ("PUT", DOOR, {"origins": ["https://example.org"] * 101}, "origins"),
    ("PUT", DOOR, {"actions": ["delete"]}, "actions"),
    ("PUT", DOOR, [], ""),
    ("PUT", DOOR, "null", ""),
    ("PUT", DOOR, {"enabled": []}, "enabled"),
    ("PUT", DOOR, {"origins": {"$push": "*"}}, "origins"),
    ("PUT", DOOR, {"actions": {"$set": "tags"}}, "actions"),
    ("PUT", TRIGGERS, [], ""),
    ("PUT", TRIGGERS, "null", ""),
    ("PUT", TRIGGERS, {"autoresponse": []}, "autoresponse"),
    ("PUT", TRIGGERS, {"autoresponse": {"$set": {"identifiers": []}}}, "identifiers"),
    ("PUT", TRIGGERS, {"autoresponse": {"identifiers": {"$in": []}}}, "identifiers"),
    ("PUT", TRIGGERS, {"autoresponse": {"identifiers": [{"$ne": 1}]}}, "identifiers"),
    ("PUT", TRIGGERS, {"sms_response": {"identifiers": ["a\x00"]}}, "sms_response.identifiers[0]"),
    ("PUT", TRIGGERS, {"sms_response": {"identifiers": ["crm:1", "x" * 256]}}, "sms_response.identifiers"),
    ("PUT", TRIGGERS, {"call_response": {"identifiers": ["<message>"] * 21}}, "identifiers"),
    ("PUT", TRIGGERS, {"call_response": {"identifiers": ["<message>"]}}, "call_response.identifiers[0]"),
    ("PUT", TRIGGERS, {"call_response": {"identifiers": ["<wrapper>"]}}, "call_response.identifiers[0]"),
    ("PUT", PAGE, [], ""),
    ("PUT", PAGE, "null", ""),
    ("PUT", PAGE, {"slug": {"$ne": 1}}, "slug"),
    ("PUT", PAGE, {"slug": "../../api"}, "slug"),
    ("PUT", PAGE, {"slug": "river\r\nSet-Cookie: a=b"}, "slug"),
    ("PUT", PAGE, {"goal": {"$gt": 0}}, "goal"),
    ("PUT", PAGE, {"closes_at": {"$gt": ""}}, "closes_at"),
    ("PUT", PAGE, {"consent": {"$set": {"text": "x"}, "list": {"$ne": 1}}}, "consent.list"),
    ("PUT", PAGE, {"fields": [{"name": {"$ne": 1}}]}, "fields[0].name"),
    ("PUT", PAGE, {"fields": {"0": {"name": "given_name"}}}, "fields"),
    ("PUT", PAGE, {"privacy_url": "javascript:alert(1)"}, "privacy_url"),
    ("PUT", PAGE, {"logo_url": "https://example.org; script-src *"}, "logo_url"),
    ("PUT", PAGE, {"logo_url": "https://example.org\r\nSet-Cookie: a=b"}, "logo_url"),
    ("PUT", PAGE, {"thank_you": {"redirect_url": "https://bank.example@attacker.example/"}}, "redirect_url"),
    ("PUT", PAGE, {"colour": "#000;} body {background: url(https://attacker.example)"}, "colour"),
    ("PUT", CODES, {"postal_code": {"$ne": 1}}, "postal_code,target"),
    ("PUT", CODES, "", "postal_code,target"),
    ("PUT", CODES, "postal_code,target\n10115,{'$ne': 1}", "line 2"),
    ("PUT", CODES, "postal_code,target\n10115,=HYPERLINK(1)", "line 2"),
    ("PUT", CODES, "postal_code,target\n" + "x" * 150_000, "Line 2"),
    ("PUT", CODES, b"postal_code,target\n\xff", "UTF-8"),
    ("POST", "/advocacy_campaigns", {"target_list": [{"title": "x"}] * 1_001}, "target_list"),
    ("POST", "/advocacy_campaigns", {"templates": ["x"] * 21}, "templates"),
    ("POST", "/advocacy_campaigns", {"total_shares": 2**31}, "total_shares"),
    ("PUT", "/advocacy_campaigns/<campaign>", {"total_shares": {"$inc": 1}}, "total_shares"),
    ("PUT", "/advocacy_campaigns/<campaign>", {"target_list": [{"title": {"$ne": 1}}]}, "target_list[0].title"),
    ("POST", "/messages", {"daily_start_hour": 24}, "daily_start_hour"),
    ("POST", "/messages", {"targets": [{"href": "x"}] * 101}, "targets"),
    ("POST", "/messages", {"_links": "x"}, "_links"),
    ("POST", "/messages", {"_links": {"osdi:wrapper": "x"}}, "_links.osdi:wrapper"),
    ("POST", "/messages", {"_links": {"osdi:wrapper": [{"href": "/api/v1/wrappers/<wrapper>"}]}}, "osdi:wrapper"),
    ("POST", "/messages", {"_links": {"osdi:wrapper": {"href": ""}}}, "_links.osdi:wrapper"),
    ("POST", "/messages", {"_links": {"osdi:wrapper": {"title": "x"}}}, "_links.osdi:wrapper"),
    ("POST", "/messages", {"_links": {"osdi:wrapper": {"href": {"$ne": 1}}}}, "_links.osdi:wrapper"),
    ("POST", "/messages", {"_links": {"osdi:wrapper": {"href": "\x00"}}}, "_links.osdi:wrapper"),
    ("POST", "/messages", {"_links": {"osdi:wrapper": {"href": "x" * 10_001}}}, "_links.osdi:wrapper"),
    ("POST", "/messages", {"_links": {"osdi:wrapper": {"href": "/api/v1/wrappers/$ne"}}}, "_links.osdi:wrapper"),
    ("POST", "/messages", {"_links": {"osdi:wrapper": {"href": "/api/v1/messages/<message>"}}}, "_links.osdi:wrapper"),
    ("PUT", "/messages/<message>", {"_links": {"osdi:wrapper": {"href": "http://["}}}, "_links.osdi:wrapper"),
    ("PUT", "/messages/<message>", {"_links": {"osdi:wrapper": {"href": None}}}, "_links.osdi:wrapper"),
    ("PUT", "/messages/<message>", {"_links": {"osdi:wrapper": {"$unset": ""}}}, "_links.osdi:wrapper"),
    ("PUT", "/messages/<message>", {"body": {"$ne": 1}}, "body"),
    ("POST", "/wrappers", {"header": "x" * 64_001}, "header"),
    ("POST", "/wrappers", {"footer": "a\x00"}, "footer"),
    ("POST", "/wrappers", {"wrapper_type": "fax"}, "wrapper_type"),
    ("POST", "/wrappers", {"default": {"$ne": False}}, "default"),
    ("PUT", "/wrappers/<wrapper>", {"default": 2}, "default"),
    ("PUT", "/wrappers/<wrapper>", {"footer": {"$set": "x"}}, "footer"),
    ("PUT", "/people/<person>", {"identifiers": {"a": None}}, "identifiers"),
    ("PUT", "/people/<person>", {"custom_fields": {"$unset": {"a": "1"}}}, "custom_fields.$unset"),
    ("PUT", "/people/<person>", {"birthdate": {"year": 2**63}}, "birthdate.year"),
    ("PUT", "/people/<person>", {"email_addresses": [{"address": {"$ne": 1}}]}, "address"),
    ("PUT", "/advocacy_campaigns/<campaign>/outreaches/<outreach>", {"duration": {"$inc": 1}}, "duration"),
    ("POST", "/tags/<tag>/taggings", {"_links": {"osdi:person": {"href": {"$ne": 1}}}}, "href"),
    ("POST", "/tags/<tag>/taggings", {"_links": {"osdi:person": {"href": "\x00"}}}, "href"),
    ("POST", "/tags/<tag>/taggings", {"_links": {"osdi:person": {"href": "x" * 10_001}}}, "href"),
    ("POST", "/tags/<tag>/taggings", {"_links": {"osdi:person": {"href": "http://["}}}, "osdi:person"),
    ("POST", "/tags/<tag>/taggings", {"_links": {"osdi:person": {"href": "/api/v1/tags/<tag>"}}}, "osdi:person"),
    ("POST", "/tags/<tag>/taggings", LINKED | {"item_type": "osdi:tag"}, "item_type"),
    ("POST", "/lists/<list>/items", {"_links": "x"}, "_links"),
    ("POST", "/lists/<list>/items", {"_links": {"osdi:person": [{"href": "/api/v1/people/<person>"}]}}, "osdi:person"),
    ("POST", "/lists/<list>/items", {"_links": {"osdi:person": {"href": "/api/v1/people/$ne"}}}, "osdi:person"),
    ("POST", "/questions/<question>/answers", LINKED | {"value": {"$ne": 1}}, "value"),
    ("POST", "/questions/<question>/answers", LINKED | {"responses": ["a"]}, "value"),
    ("POST", "/questions/<question>/answers", LINKED | {"value": "x" * 10_001}, "value"),
    ("PUT", "/questions/<question>/answers/<answer>", {"value": None}, "value"),
    ("PUT", "/questions/<question>/answers/<answer>", {"action_date": "0001-01-01T00:00+14:00"}, "action_date"),
    ("POST", "/people", {"given_name": {"$ne": 1}}, "given_name"),
    ("POST", "/people", {"person": {"$ref": "people", "$id": "<person>"}}, "person"),
    ("POST", "/people", {"person": None, "given_name": "Jane"}, "person"),
    ("POST", HELPER, {"_links": {"osdi:person": {"href": "/api/v1/people/$ne"}}}, "_links.osdi:person"),
    ("POST", HELPER, {"_links": {"osdi:person": {"href": "a\x00"}}}, "href"),
]

ATTACKS = [
    *(
        Attack(
            name,
            method,
            path,
            413 if "limit" in name else 400,
            body,
            # Without strict handling the helpers skip what is optional, see SKIPPED.
            headers=STRICT | headers if (method, path) in OPEN else headers,
            names=names,
        )
        for method, path in BODIES
        for name, body, headers, names in (*EVERYWHERE, *(RESOURCES if path not in OURS else ()))
    ),
    *(
        Attack(name, method, path, 413 if "limit" in name else 400, body, headers=headers, names=names)
        for method, path in (("POST", HELPER), ("PUT", "/people/<person>"))
        for name, body, headers, names in SOMEWHERE
    ),
    *(
        Attack(
            f"{names} of a person, {number}",
            "POST",
            HELPER,
            400,
            {"person": fields},
            headers=STRICT,
            token=token,
            names=names,
        )
        for number, (fields, names) in enumerate(PERSON)
        for token in ((True, False) if len(str(fields)) < 30_000 else (True,))
    ),
    *(
        Attack(
            f"{names} of an outreach, {number}",
            "POST",
            HELPER,
            400,
            SMALL | fields,
            headers=STRICT,
            token=token,
            names=names,
        )
        for number, (fields, names) in enumerate(OUTREACH)
        # A longer body needs a token: tests/access/test_anonymous_post_sizes.py.
        for token in ((True, False) if len(str(fields)) < 30_000 else (True,))
    ),
    *(
        Attack(f"{names}, {number}", method, path, 400, body, names=names)
        for number, (method, path, body, names) in enumerate(ELSEWHERE)
    ),
    Attack("a link without a token", "POST", HELPER, 400, LINKED, token=False, names="_links.osdi:person"),
]

# The same values without strict handling: each is skipped, or rejects the request if nobody is named without it.
SKIPPED = [
    *(
        Attack(f"{names} of a person, {number}", "POST", HELPER, 200, SMALL | {"person": SMALL["person"] | fields})
        for number, (fields, names) in enumerate(PERSON)
        if "email_addresses" not in fields
    ),
    *(
        Attack(f"{names} of an outreach, {number}", "POST", HELPER, 200, SMALL | fields)
        for number, (fields, names) in enumerate(OUTREACH)
    ),
]
