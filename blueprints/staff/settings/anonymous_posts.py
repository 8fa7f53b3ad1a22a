"""The deployment's policy for posts without a token, in words, with the settings that change it."""

from flask import Response

from blueprints.http.context import settings, store
from blueprints.staff.blueprint import pages
from blueprints.staff.frame import page
from blueprints.staff.settings.access import ADMINISTRATOR
from osdi.staff.settings.policy import policy


@pages.get("/settings/anonymous-posts", access=ADMINISTRATOR)
def anonymous_posts() -> Response:
    """Show what a stranger may send"""
    return page("settings/anonymous_posts.html", found=policy(store(), settings()))
