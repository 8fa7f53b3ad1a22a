"""The public page of a campaign and its form for frames: what is shown, and to which addresses."""

from collections.abc import Callable

import pytest

from tests.fixtures.campaign_pages import CampaignPage, soup

Publish = Callable[..., CampaignPage]


@pytest.mark.parametrize("suffix", ["", "/embed"])
def test_a_published_campaign_has_a_page_with_a_form(publish: Publish, suffix: str) -> None:
    page = publish(title="Save the <river>")

    response = page.get(suffix)

    assert response.status_code == 200
    assert response.mimetype == "text/html"
    found = soup(response)
    assert found.h1.get_text() == "Save the <river>"
    assert found.html["lang"] == "en"
    assert found.html["dir"] == "ltr"
    assert found.form["method"] == "post"


@pytest.mark.parametrize(
    "address",
    ["/act/other", "/act/other/embed", "/act/other/nothing/here", "/act/Protect-The-River/x"],
)
def test_an_unknown_address_is_a_page_for_people(publish: Publish, address: str) -> None:
    page = publish()

    response = page.http.get(address)

    assert response.status_code == 404
    assert soup(response).h1.get_text() == "This page does not exist"


@pytest.mark.parametrize("suffix", ["", "/embed"])
def test_a_draft_has_no_page(publish: Publish, suffix: str) -> None:
    assert publish({"published": False}).get(suffix).status_code == 404
