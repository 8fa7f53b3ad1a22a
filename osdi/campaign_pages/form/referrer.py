"""The `referrer_data` of an outreach by a page: where the supporter came from, without personal data of other sites.

Other sites put e-mail addresses and names into their addresses. So of an address only the path is kept, and of its
query only `source` and `utm_*`; of a referrer only the origin.
"""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode, urlunsplit

from osdi.campaign_pages.form.controls import CAMPAIGN_SOURCES
from osdi.values.web_addresses import origin_of, split_web_address

Read = Callable[[str], str]


def sources_of(read: Read) -> dict[str, str]:
    """Returns those of `source` and `utm_*` that `read` finds by name, without blank ones."""
    return {name: value for name in CAMPAIGN_SOURCES if (value := read(name).strip())}


def referrer_data(read: Read, *, page_url: str = "", website: str = "") -> dict[str, str]:
    """Returns `referrer_data` from the controls of a form, which `read` finds by name; blank ones are left out.

    `page_url` is the page on which the form was, unless a control names another; `website` likewise its origin.
    """
    sources = sources_of(read)
    found = {
        "source": sources.get("source") or sources.get("utm_source", ""),
        "referrer": origin_of(read("referrer")) or "",
        "website": origin_of(read("website")) or origin_of(website) or "",
        "url": without_personal_data(read("url"), sources) or without_personal_data(page_url, sources),
    }
    return {name: value for name, value in found.items() if value}


def without_personal_data(address: str, sources: Mapping[str, str]) -> str:
    """Returns an address with `source` and `utm_*` of its query and of `sources` only; empty for any other text.

    A path that contains an e-mail address is left out as a whole.
    """
    parts = split_web_address(address)
    if parts is None:
        return ""
    own = {name: value for name, value in parse_qsl(parts.query) if name in CAMPAIGN_SOURCES}
    path = "" if "@" in parts.path or "%40" in parts.path else parts.path
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode({**own, **sources}), ""))
