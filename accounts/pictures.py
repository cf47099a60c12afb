"""Pictures in forms: the fields of Wagtail's choosers take the id of any picture.

They offer only what a person may choose, but check nothing, and a form that comes back with errors
shows title and thumbnail of whatever id it got.
"""

from __future__ import annotations

import re
from typing import Any

from django.http import QueryDict
from wagtail.images import get_image_model
from wagtail.permissions import policy_registry

_PICTURE = re.compile(r"(?:^|-)image$")
_LONGEST_NUMBER = 18


def without_foreign_pictures(data: QueryDict, user: Any) -> tuple[QueryDict, list[str]]:
    """Empty the fields named `image`, of a form or its blocks, that `user` may not fill so.

    Return the data and the names of the fields.
    """
    filled = {key: str(data[key]) for key in data if _PICTURE.search(key) and data[key]}
    numbers = [n for n in filled.values() if n.isascii() and n.isdigit()]
    policy = policy_registry.get_by_type(get_image_model())
    own = policy.instances_user_has_permission_for(user, "choose").filter(
        pk__in=[n for n in numbers if len(n) <= _LONGEST_NUMBER]
    )
    allowed = {str(pk) for pk in own.values_list("pk", flat=True)} if numbers else set()
    foreign = [key for key, number in filled.items() if number not in allowed]
    if foreign:
        data = data.copy()
        for key in foreign:
            data[key] = ""
    return data, foreign
