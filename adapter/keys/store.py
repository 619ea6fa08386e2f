"""Keeps the keys and what was used of them. Every method is one transaction, exact over all that share the database."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, and_, func, insert, select, update

from adapter.errors import KeysUnavailableError
from adapter.keys.key import Key, Month, NewKey, digest_secret, draw_secret, month_of
from adapter.keys.schema import api_key_usage, api_keys, metadata
from database.transactions import Transactions

_u = api_key_usage.c
_BOUNDLESS = 2**63 - 1


@dataclass(frozen=True)
class Issued:
    """A new key, and its secret, which nobody can read again."""

    key: Key
    secret: str = field(repr=False)


class KeyStore(Transactions):
    """The keys in SQLite or PostgreSQL. All methods raise KeysUnavailableError when the database does not answer."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds. Raises ValueError where `url` names neither SQLite nor PostgreSQL."""
        super().__init__(url, "key store", metadata)
        self.clock = clock

    async def add(self, wanted: NewKey) -> Issued:
        """Make a key."""
        now = self.clock()

        def work(connection: Connection) -> Issued:
            secret = draw_secret()
            digest = digest_secret(secret)
            key = Key(
                digest.hex()[:12], wanted.name, wanted.operations, wanted.per_minute, wanted.monthly, created_at=now
            )
            operations = None if key.operations is None else list(key.operations)
            connection.execute(insert(api_keys).values(sha256=digest, **{**vars(key), "operations": operations}))
            return Issued(key, secret)

        return await self.run(work)

    async def find(self, digest: bytes) -> Key | None:
        """The key whose secret has this SHA-256; None where there is none, or it is revoked."""
        statement = select(api_keys).where(api_keys.c.sha256 == digest, api_keys.c.revoked_at.is_(None))

        def work(connection: Connection) -> Key | None:
            row = connection.execute(statement).mappings().one_or_none()
            return None if row is None else _read_key(row)

        return await self.run(work)

    async def any_was_made(self) -> bool:
        """Whether there is any key, revoked ones too."""
        statement = select(api_keys.c.id).limit(1)
        return await self.run(lambda connection: connection.execute(statement).first() is not None)

    async def list_all(self) -> list[tuple[Key, int]]:
        """All keys, the oldest first, each with what was used of it this month."""
        joined = api_keys.outerjoin(api_key_usage, and_(_u.key == api_keys.c.id, _u.month == self.month().name))
        used = func.coalesce(_u.used, 0).label("used")
        statement = select(api_keys, used).select_from(joined).order_by(api_keys.c.created_at, api_keys.c.id)

        def work(connection: Connection) -> list[tuple[Key, int]]:
            return [(_read_key(row), row["used"]) for row in connection.execute(statement).mappings()]

        return await self.run(work)

    async def revoke(self, key_id: str) -> bool:
        """Make a key good for nothing, for ever; False where there is none with this id that still is."""
        which = (api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        statement = update(api_keys).where(*which).values(revoked_at=self.clock())
        return await self.run(lambda connection: connection.execute(statement).rowcount == 1)

    def month(self) -> Month:
        """The month that it is."""
        return month_of(self.clock())

    async def used(self, key: Key, month: Month) -> int:
        """How many results the key has had in a month."""
        statement = select(_u.used).where(_u.key == key.id, _u.month == month.name)
        return await self.run(lambda connection: connection.execute(statement).scalar() or 0)

    async def count(self, key: Key, month: Month) -> int | None:
        """Count one result; how many that makes, or None where it would be more than the key's quota."""
        return await self.run(lambda connection: count_one(connection, key, month.name))

    async def give_back(self, key: Key, month: Month) -> None:
        """Count one result less: it was counted, and could not be sent for no fault of the key's holder."""
        await self.run(lambda connection: give_one_back(connection, key.id, month.name))

    def _unavailable(self, *, busy: bool) -> KeysUnavailableError:
        what = "is busy" if busy else "does not answer"
        return KeysUnavailableError(f"The store of the API keys {what}. Try again later.")


def count_one(connection: Connection, key: Key, month: str) -> int | None:
    """As `KeyStore.count`, as a part of a transaction."""
    mine = (_u.key == key.id, _u.month == month)
    room = _u.used < (_BOUNDLESS if key.monthly is None else key.monthly)
    one_more = update(api_key_usage).where(*mine, room).values(used=_u.used + 1).returning(_u.used)
    used: int | None = connection.execute(one_more).scalar()
    if used is not None:
        return used
    if connection.execute(select(_u.used).where(*mine)).scalar() is None:
        # Two at once collide here, and one of them begins again.
        connection.execute(insert(api_key_usage).values(key=key.id, month=month, used=1))
        return 1
    # Used up; or another has made the row since the first look, and this one says which.
    again: int | None = connection.execute(one_more).scalar()
    return again


def give_one_back(connection: Connection, key_id: str, month: str) -> None:
    """As `KeyStore.give_back`, as a part of a transaction."""
    mine = (_u.key == key_id, _u.month == month, _u.used > 0)
    connection.execute(update(api_key_usage).where(*mine).values(used=_u.used - 1))


def _read_key(row: RowMapping) -> Key:
    operations = row["operations"]
    return Key(
        id=row["id"],
        name=row["name"],
        operations=None if operations is None else tuple(operations),
        per_minute=row["per_minute"],
        monthly=row["monthly"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )
