"""The store that leaves all to the ledger."""

from mpp.store import Store

from adapter.payments.mpp.replay_store import LedgerDecides


async def test_what_was_used_may_be_tried_again() -> None:
    store: Store = LedgerDecides()
    assert await store.put_if_absent("hash", 1)
    await store.put("hash", 1)
    assert await store.get("hash") is None
    assert await store.put_if_absent("hash", 1)
    await store.delete("hash")
