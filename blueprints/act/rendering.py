"""The values of the templates: a campaign with its page settings, and the form with what was typed into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Response, make_response, render_template, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from blueprints.act.choices import message_labels
from blueprints.act.security_headers import allow_frames, allow_images
from blueprints.http.context import deployment, hal, reference, settings, store
from osdi.access.anonymous_posts import AnonymousPosts
from osdi.campaign_pages.acting.share import Share, share_of
from osdi.campaign_pages.acting.steps import SPOKEN, kind_of
from osdi.campaign_pages.description import description_of
from osdi.campaign_pages.form.controls import SOURCES, Control, controls_of, value_of, values_of
from osdi.campaign_pages.form.form_token import FormToken
from osdi.campaign_pages.form.referrer import sources_of, without_personal_data
from osdi.campaign_pages.message import start_texts
from osdi.campaign_pages.page_settings import PageSettings
from osdi.campaign_pages.public_count import shown_count
from osdi.campaign_pages.published import Page
from osdi.documents import ReadOnlyDocument
from osdi.fields.limits import MAX_ANONYMOUS_TEXT_LENGTH
from osdi.ids import now, timestamp
from osdi.resources import PAGES
from osdi.values.web_addresses import origin_of, web_address

# People do not see this control, so only a program fills it. No browser knows what to fill in for such a name.
DEFAULT_HONEYPOT: Final = "further_comment"
ID_PREFIX: Final = "act"
# The argument or control by which the steps after the form stay in their frame.
EMBEDDED: Final = "embedded"


@dataclass(frozen=True)
class CampaignView:
    """A published page as one request asks for it: as a page, or as the form alone for a frame."""

    page: Page
    embedded: bool = False

    @property
    def campaign(self) -> ReadOnlyDocument:
        return self.page.campaign

    @property
    def settings(self) -> PageSettings:
        return self.page.settings

    @property
    def path(self) -> str:
        """The path of the page itself."""
        return f"{PAGES}/{self.settings.slug}"

    @property
    def url(self) -> str:
        """The whole address of the page itself."""
        return f"{hal().base_url}{self.path}"

    @property
    def template(self) -> str:
        """The template with the form."""
        return "embed" if self.embedded else "page"

    @property
    def action(self) -> str:
        """The address to which the form is posted.

        It differs from that of the page. A browser forgets the page of an address that it posts to (RFC 9111, section
        4.4); Back would then show a new form, with a new idempotency key.
        """
        return f"{self.path}/embed?record" if self.embedded else f"{self.path}?record"

    @property
    def thanks(self) -> str:
        """The address of the thank-you."""
        return f"{self.path}/thanks{f'?{EMBEDDED}=yes' if self.embedded else ''}"

    @property
    def share(self) -> Share | None:
        """The ways to share the campaign, of which each second has other texts; None if the page shows none."""
        return share_of(self.campaign, self.url, turn=int(timestamp())) if self.settings.share else None

    @property
    def policy(self) -> AnonymousPosts:
        """The policy for posts without a token, as it applies to the form."""
        return AnonymousPosts.of(settings(), self.campaign).for_page()

    @property
    def open(self) -> bool:
        """True if the page takes outreaches now."""
        return self.page.is_open(settings(), now())


@dataclass(frozen=True)
class FormView:
    """The form as a template shows it: its controls, what was typed, and the mistakes by control."""

    controls: tuple[Control, ...] = ()
    values: MultiDict[str, str] = field(default_factory=MultiDict)
    errors: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def honeypot(self) -> str:
        """The name of the control that people do not see."""
        return honeypot_name()

    def value(self, name: str) -> str:
        return value_of(self.values, name)

    def chosen(self, name: str) -> list[str]:
        return values_of(self.values, name)

    def error(self, name: str) -> str | None:
        return self.errors.get(name)

    def id(self, name: str, *parts: object) -> str:
        """Returns the id of a control's element, which is unique on the page."""
        return "-".join((ID_PREFIX, name.replace(".", "-"), *map(str, parts)))


def honeypot_name() -> str:
    """Returns the name of the control that people do not see."""
    return settings().honeypot_field or DEFAULT_HONEYPOT


def new_form(view: CampaignView) -> FormView:
    """Returns the form of a GET, with the source of the visit. Raises OsdiError 503."""
    token = deployment().form_tokens.signed(FormToken.new(view.campaign["_id"]))
    return FormView(controls_of(view.settings, reference().find), token=token, sources=sources_of_visit(view))


def sources_of_visit(view: CampaignView) -> dict[str, str]:
    """Returns the hidden values that say where this visit comes from; the script completes them."""
    found = sources_of(lambda name: request.args.get(name, ""))
    came_from = request.headers.get("Referer", "")
    origin = origin_of(came_from)
    if origin is None or origin == origin_of(hal().base_url):
        return found
    if not view.embedded:
        return {**found, "referrer": origin}
    return {**found, "website": origin, "url": without_personal_data(came_from, found)}


def posted_sources(values: MultiDict[str, str]) -> dict[str, str]:
    """Returns the hidden values of a posted form."""
    return {name: value for name in SOURCES if (value := value_of(values, name))}


def rendered(template: str, view: CampaignView, *, status: int = 200, **values: Any) -> Response:
    """Returns a page about a campaign, made by a template of `act/`, with the headers that its content needs."""
    if view.embedded:
        allow_frames(view.policy.origins)
    return make_response(render_template(f"act/{template}.html", **campaign_values(view), **values), status)


def campaign_values(view: CampaignView) -> dict[str, Any]:
    """Returns the values of a template about a campaign, and lets the response load the campaign's images."""
    campaign, settings_of_page = view.campaign, view.settings
    description = description_of(campaign.get("description") or "")
    image = web_address(campaign.get("featured_image_url"), ("https",))
    logo = web_address(settings_of_page.logo_url)
    origins = {origin_of(each) for each in (image, logo) if each}
    allow_images(sorted({*(each for each in origins if each), *description.image_origins}))
    return {
        "view": view,
        "campaign": campaign,
        "page": settings_of_page,
        "count": shown_count(store(), view.page),
        "title": view.page.title,
        "description": Markup(description.html),  # noqa: S704  # nh3 has sanitised it
        "image_url": image,
        "logo_url": logo,
        "url": view.url,
        "privacy_url": web_address(settings_of_page.privacy_url),
        "organisation": settings().vendor_name,
        "share": view.share,
        "written": kind_of(campaign) not in SPOKEN,
        "text_limit": MAX_ANONYMOUS_TEXT_LENGTH,
        "start_texts": lambda: start_texts(campaign, settings_of_page, message_labels()),
    }
