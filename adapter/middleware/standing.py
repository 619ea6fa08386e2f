"""How the caller stands with a limit on requests: noted while a request is served, written on whatever answers it."""

from aiohttp import web

from adapter.limits.local import WINDOW_S, Standing

_KEY = web.RequestKey("standing", Standing)


def note_standing(request: web.BaseRequest, standing: Standing) -> None:
    """Has the answer to `request` say how its sender stands; the last word counts."""
    request[_KEY] = standing


def standing_of(request: web.BaseRequest) -> Standing | None:
    """What was noted of the sender of `request`."""
    return request.get(_KEY)


def set_standing(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Writes the headers of draft-ietf-httpapi-ratelimit-headers, as its widely read versions have them."""
    standing = standing_of(request)
    if standing is None:
        return
    response.headers["RateLimit-Limit"] = str(standing.limit)
    response.headers["RateLimit-Policy"] = f"{standing.limit};w={WINDOW_S}"
    response.headers["RateLimit-Remaining"] = str(standing.remaining)
    response.headers["RateLimit-Reset"] = str(standing.reset_s)
