"""The report on an uploaded table of postal codes, and its argument."""

import marshmallow as ma

from schemas.base.collection import QuerySchema
from schemas.base.common import links


class PostalCodesArgumentsSchema(QuerySchema):
    """The argument of an upload."""

    dry_run = ma.fields.Boolean(
        load_default=False, metadata={"description": "True: the table is checked, and nothing is stored."}
    )


class PostalCodeProblemSchema(ma.Schema):
    """A line that cannot be used."""

    line = ma.fields.Integer(metadata={"description": "The number of the line; the header is line 1."})
    postal_code = ma.fields.String(metadata={"description": "Postal code of the line."})
    target = ma.fields.String(metadata={"description": "Target of the line."})
    message = ma.fields.String(metadata={"description": "The reason, and how to correct the line."})


class PostalCodesReportSchema(ma.Schema):
    """Counts and problems of a table. Each list has at most 50 entries."""

    stored = ma.fields.Boolean(metadata={"description": "False after a dry run."})
    lines = ma.fields.Integer(metadata={"description": "Lines without the header."})
    postal_codes = ma.fields.Integer(metadata={"description": "Different codes."})
    targets = ma.fields.Integer(metadata={"description": "Different targets."})
    for_every_other_code = ma.fields.List(
        ma.fields.String(), metadata={"description": "Targets of the line with the code `*`."}
    )
    problems = ma.fields.List(
        ma.fields.Nested(PostalCodeProblemSchema), metadata={"description": "The first lines that cannot be used."}
    )
    total_problems = ma.fields.Integer(metadata={"description": "Number of lines that cannot be used."})
    repeated_lines = ma.fields.List(
        ma.fields.Integer(), metadata={"description": "Lines that repeat code and target of an earlier one."}
    )
    total_repeated_lines = ma.fields.Integer(metadata={"description": "Number of lines that repeat another one."})
    codes_with_several_targets = ma.fields.List(
        ma.fields.String(), metadata={"description": "Codes for which supporters choose among several targets."}
    )
    total_codes_with_several_targets = ma.fields.Integer(
        metadata={"description": "Number of postal codes with more than one target."}
    )
    targets_without_code = ma.fields.List(
        ma.fields.String(), metadata={"description": "Targets to which no code leads."}
    )
    total_targets_without_code = ma.fields.Integer(
        metadata={"description": "Number of targets of the campaign that no line names."}
    )
    _links = links("self", "osdi:advocacy_campaign")
