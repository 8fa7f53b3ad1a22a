"""Links by which a supporter shares a campaign: plain links to other sites, which load nothing and know no supporter.

The texts come from the campaign's `share_options`; each call may show another variation. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from osdi.campaign_pages.acting.mail_links import mailto
from osdi.campaign_pages.page_settings import title_of
from osdi.fields.limits import MAX_LINE_LENGTH
from osdi.messages.template_fields import single_line
from osdi.values.web_addresses import split_web_address, web_address

SOURCE: Final = "source"
MAIL, WHATSAPP, FACEBOOK, X, BLUESKY, MASTODON, COPY = (
    "email",
    "whatsapp",
    "facebook",
    "x",
    "bluesky",
    "mastodon",
    "link",
)
# The parts of `share_options` that have the text and the address for a medium, and the names of the text in them.
OPTIONS: Final[Mapping[str, tuple[str, str]]] = {
    MAIL: ("email_share", "body"),
    FACEBOOK: ("facebook_share", "title"),
    X: ("twitter_share", "message"),
}
# X counts an address as 23 characters; Bluesky and Mastodon have more room.
MAX_X_LENGTH: Final = 250


@dataclass(frozen=True)
class ShareLink:
    """A link that opens another site, or the mail program, with text and address filled in."""

    medium: str
    link: str


@dataclass(frozen=True)
class Share:
    """The ways to share a campaign: links, and address and text for the clipboard and the browser's own dialog."""

    links: tuple[ShareLink, ...]
    address: str
    text: str


def share_of(campaign: Mapping[str, Any], page_url: str, *, turn: int = 0) -> Share:
    """Returns the ways to share a campaign; `turn` chooses among several variations of a text."""
    title = title_of(campaign)
    address = _address(campaign, page_url)
    options = {medium: _option(campaign, *OPTIONS[medium], turn) for medium in OPTIONS}
    text = single_line(options[X].get("message") or campaign.get("summary") or title, MAX_LINE_LENGTH)

    def to(medium: str) -> str:
        own = web_address(options.get(medium, {}).get("share_url"))
        return with_source(own or address, medium)

    return Share(
        (
            ShareLink(MAIL, _mail_link(options[MAIL], title, text, to(MAIL))),
            ShareLink(WHATSAPP, f"https://wa.me/?text={_quoted(f'{text} {to(WHATSAPP)}')}"),
            ShareLink(FACEBOOK, f"https://www.facebook.com/sharer/sharer.php?u={_quoted(to(FACEBOOK))}"),
            ShareLink(
                X, f"https://x.com/intent/post?text={_quoted(single_line(text, MAX_X_LENGTH))}&url={_quoted(to(X))}"
            ),
            ShareLink(BLUESKY, f"https://bsky.app/intent/compose?text={_quoted(f'{text} {to(BLUESKY)}')}"),
        ),
        with_source(address, COPY),
        text,
    )


def mastodon_link(server: str, share: Share) -> str | None:
    """Returns the link that opens the dialog of a Mastodon server; None if the text is no name of a server.

    The supporter may write the whole address of the server, or their own name on it: `@jane@mastodon.example`.
    """
    name = server.strip().rpartition("@")[2] if "://" not in server else server.strip()
    parts = split_web_address(name if "://" in name else f"https://{name}", ("https",))
    if parts is None or "." not in parts.netloc:
        return None
    text = f"{share.text} {with_source(share.address, MASTODON)}"
    return f"https://{parts.netloc}/share?text={_quoted(text)}"


def with_source(address: str, medium: str) -> str:
    """Returns an address with `source=share-<medium>`, in place of a source that it has."""
    parts = urlsplit(_without_source(address))
    query = "&".join(filter(None, (parts.query, urlencode({SOURCE: f"share-{medium}"}))))
    return urlunsplit(parts._replace(query=query))


def _without_source(address: str) -> str:
    parts = urlsplit(address)
    kept = [each for each in parts.query.split("&") if each and each.partition("=")[0] != SOURCE]
    return urlunsplit(parts._replace(query="&".join(kept)))


def _address(campaign: Mapping[str, Any], page_url: str) -> str:
    """Returns the address to share: that of the campaign, if it has one, else that of its page."""
    own = (web_address(campaign.get(name)) for name in ("share_url", "browser_url"))
    return next(filter(None, own), page_url)


def _option(campaign: Mapping[str, Any], name: str, needed: str, turn: int) -> Mapping[str, Any]:
    """Returns one variation of a part of `share_options`; only those with a text count."""
    options: Sequence[Mapping[str, Any]] = campaign.get("share_options", ())
    variations = [
        each[name] for each in options if each.get(name, {}).get(needed) or each.get(name, {}).get("share_url")
    ]
    return variations[turn % len(variations)] if variations else {}


def _mail_link(option: Mapping[str, Any], title: str, text: str, address: str) -> str:
    """Returns a link without an addressee: the supporter chooses who gets the mail."""
    body = "\r\n".join([*str(option.get("body") or text).splitlines(), "", address])
    return mailto([], {"subject": single_line(str(option.get("subject") or title), MAX_LINE_LENGTH), "body": body})


def _quoted(text: str) -> str:
    return quote(text, safe="")
