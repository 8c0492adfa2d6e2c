"""Which requests the router passes on: predictions, metadata and health, by what their paths mean.

A path has many spellings: ``/%6detrics`` is ``/metrics`` to a model server. So it is decoded first, compared with the
paths that are passed on, and sent on as it was compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

_NAME = r"(?!\.{1,2}(?:/|$))[^/]+"
_PREDICTION = re.compile(rf"/v1/models/{_NAME}:predict|/v2/models/{_NAME}(/versions/{_NAME})?/infer")
_READ = re.compile(
    rf"/v1/models(/{_NAME})?|/v2(/health/(live|ready))?|/v2/models(/{_NAME}(/versions/{_NAME})?(/ready)?)?"
)
_UNQUOTED = "/:-._~!$&'()*+,;=@"


@dataclass(frozen=True)
class Way:
    """A path that is passed on.

    Attributes:
        target: what the model server is asked for.
        predicts: whether that is a prediction.
    """

    target: bytes
    predicts: bool

    @property
    def methods(self) -> tuple[bytes, ...]:
        """Methods it takes."""
        return (b"POST",) if self.predicts else (b"GET", b"HEAD")


def way_of(target: bytes) -> Way | None:
    """The way of a request; ``None`` where nothing is passed on.

    Args:
        target: as it stands in the request: a path, and perhaps a query.
    """
    written, mark, query = target.partition(b"?")
    try:
        path = unquote(written.decode("ascii"), errors="strict")
    except UnicodeDecodeError:
        return None
    predicts = _PREDICTION.fullmatch(path) is not None
    if not predicts and (not _READ.fullmatch(path) or path.endswith(":predict")):
        return None
    return Way(quote(path, safe=_UNQUOTED).encode() + mark + query, predicts)
