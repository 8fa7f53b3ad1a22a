"""`make bench` compares the addresses of a campaign page with the entry point."""

from bench.campaign_pages import ADDRESSES, section_of
from osdi.sample import SLUG


def test_each_address_has_its_ratio_to_the_entry_point() -> None:
    section = section_of({"entry point": 0.5, "page": 1.0, "count as JSON": 0.4}).splitlines()

    assert section[0] == "## Campaign pages"
    assert section[-3:] == [
        "| entry point | 0.50 | 1.00 |",
        "| page | 1.00 | 2.00 |",
        "| count as JSON | 0.40 | 0.80 |",
    ]


def test_the_entry_point_comes_first_and_the_others_are_of_the_sample_page() -> None:
    first, *others = ADDRESSES.values()

    assert first == "/api/v1/"
    assert all(address.startswith(f"/act/{SLUG}") for address in others)
