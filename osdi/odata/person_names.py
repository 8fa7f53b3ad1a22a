"""Adds to a condition on a person's name one that an index serves: the name's first word is in `name_words`.

Pure.
"""

import re
from typing import Any

from osdi.values.names import first_search_word

NAME_WORDS = "name_words"


def with_name_words(query: dict[str, Any], text: str, *, ends: bool) -> dict[str, Any]:
    """Returns a query for the same people, which the index of words serves.

    `query` selects people with a name that is `text` or, unless it `ends` there, begins with it. A text without letters
    and digits has no word, and its query stays as it is.
    """
    found = first_search_word(text)
    if found is None:
        return query
    word, complete = found
    return {"$and": [{NAME_WORDS: word if complete or ends else {"$regex": f"^{re.escape(word)}"}}, query]}
