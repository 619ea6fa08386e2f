"""What a key is good for, and how much of its month is used: for whoever has the key."""

from dataclasses import dataclass

from aiohttp import hdrs, web

from adapter.access import Access


@dataclass(frozen=True)
class AccountRoutes:
    """Serves a key's own facts."""

    access: Access

    def add_to(self, app: web.Application) -> None:
        """Registers the account."""
        app.router.add_get("/account", self._account)

    async def _account(self, request: web.Request) -> web.Response:
        usage = await self.access.read_usage(request)
        key, month = usage.key, usage.month
        facts = {
            "name": key.name,
            "operations": None if key.operations is None else list(key.operations),  # None: all of them.
            "per_minute": key.per_minute,
            "monthly_quota": key.monthly,
            "used": usage.used,
            "remaining": usage.remaining,
            "period_start": month.start.isoformat(),
            "period_end": month.end.isoformat(),
        }
        return web.json_response(facts, headers={hdrs.CACHE_CONTROL: "no-store"})
