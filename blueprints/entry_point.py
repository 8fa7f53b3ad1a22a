"""The API entry point (`aep.md`)."""

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.context import hal, hal_response, settings
from osdi.resources import API
from schemas.entry_point import EntryPointSchema

blp = Blueprint("Entry point", __name__, url_prefix=API, description="Links to all collections; clients begin here")


@blp.route("/")
@blp.token_optional(None)
@blp.response(200, EntryPointSchema)
def get_entry_point() -> Response:
    """Read the API entry point"""
    deployed = settings()
    return hal_response(
        hal().entry_point(
            motd=deployed.motd,
            vendor_name=deployed.vendor_name,
            product_name=deployed.product_name,
            max_pagesize=deployed.max_pagesize,
        )
    )
