"""What the playground asks before a visitor begins: what may be done here without a key and without a payment."""

from dataclasses import dataclass

from aiohttp import hdrs, web

from adapter.access import Access


@dataclass(frozen=True)
class PlaygroundRoutes:
    """Serves what changes while the page stays the same."""

    access: Access

    def add_to(self, app: web.Application) -> None:
        """Registers the route."""
        app.router.add_get("/playground/access", self._access)

    async def _access(self, request: web.Request) -> web.Response:
        left = await self.access.look_free(request)
        free = None
        if left is not None:
            free = {
                "per_day": left.per_day,
                "left": left.left,
                "per_client": left.per_client,
                "left_for_you": left.left_for_client,
            }
        words = {"open": await self.access.is_open(), "free": free}
        return web.json_response(words, headers={hdrs.CACHE_CONTROL: "no-store"})
