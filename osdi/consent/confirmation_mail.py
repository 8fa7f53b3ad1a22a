"""Text of the mail that asks its reader to confirm a consent (double opt-in).

It says what was asked, in the words of the page, and nothing of the person: anybody can post any address.
"""

from typing import Final

from markupsafe import Markup

from osdi.consent.confirmation import VALID
from osdi.documents import ReadOnlyDocument
from osdi.languages import choose, text_direction, translations
from osdi.messages.template_fields import single_line
from osdi.messages.templates import MAX_SUBJECT_LENGTH, Rendered, text_as_html

LINK: Final = Markup('<p><a href="{0}">{0}</a></p>')
UNSUBSCRIBE: Final = Markup('<p style="font-size: small">{0} <a href="{1}">{1}</a></p>')


def confirmation_mail(organisation: str, receipt: ReadOnlyDocument, link: str, unsubscribe_url: str) -> Rendered:
    """Returns the mail in the language of a receipt. `link` leads to the page with the button."""
    language, consent, days = choose([receipt["language"]]), receipt["text"], VALID.days
    texts, direction = translations(language), text_direction(language)
    subject = texts.gettext("Please confirm your e-mail address for %(organisation)s") % {"organisation": organisation}
    asked = texts.gettext(
        "Somebody has entered this e-mail address on a page of %(organisation)s, and has agreed to this:"
    ) % {"organisation": organisation}
    press = texts.gettext("If that was you, open this page and press the button:")
    valid = texts.ngettext("The link is valid for %(num)s day.", "The link is valid for %(num)s days.", days) % {
        "num": days
    }
    ignore = texts.gettext("If this was not you, ignore this mail. Then nothing changes.")
    unsubscribe = texts.gettext("If you want no mail from %(organisation)s:") % {"organisation": organisation}
    last = f"{valid} {ignore}"
    html = Markup('<div lang="{}" dir="{}">\n{}\n</div>').format(
        language,
        direction,
        Markup("\n").join(
            (
                Markup("<p>{}</p>").format(asked),
                Markup("<blockquote>{}</blockquote>").format(Markup(text_as_html(consent))),  # noqa: S704  # escaped
                Markup("<p>{}</p>").format(press),
                LINK.format(link),
                Markup("<p>{}</p>").format(last),
                UNSUBSCRIBE.format(unsubscribe, unsubscribe_url),
            )
        ),
    )
    quoted = "\n".join(f"> {line}".rstrip() for line in consent.splitlines())
    text = "\n\n".join((asked, quoted, press, link, last, f"{unsubscribe}\n{unsubscribe_url}"))
    return Rendered(subject=single_line(subject, MAX_SUBJECT_LENGTH), html=str(html), text=text)
