"""What a key is good for, and how much of its month is used: for whoever has the key."""

from dataclasses import dataclass

from aiohttp import hdrs, web

from adapter.access import Access
from adapter.keys.key import say_usage


@dataclass(frozen=True)
class AccountRoutes:
    """Serves a key's own facts."""

    access: Access

    def add_to(self, app: web.Application) -> None:
        """Registers the account."""
        app.router.add_get("/account", self._account)

    async def _account(self, request: web.Request) -> web.Response:
        told = say_usage(await self.access.read_usage(request))
        return web.json_response(told, headers={hdrs.CACHE_CONTROL: "no-store"})
