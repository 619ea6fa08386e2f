"""What is written down of changes and of copies, for all servers."""

from cards.target import Target
from server.lifecycle.findings import Copies, Findings, Pair
from server.lifecycle.journal import MOST, Change, Journal
from server.routing.database import RoutingDatabase

PAIR = Pair("isnet", Target("isnet", 2), Target("isnet", 1))


async def test_changes_and_refusals_are_read_newest_first(database: RoutingDatabase) -> None:
    times = iter([1.0, 2.0, 3.0])
    journal = Journal(database, lambda: next(times))
    await journal.write(journal.entry("isnet", "promote", "isnet@2", done=False, text="It is too slow."))
    await journal.write(journal.entry("birefnet", "route", "birefnet@1", done=True, text=""))
    await journal.write(journal.entry("isnet", "route", "isnet@1=90% isnet@2=10%", done=True, text="before: isnet@1"))
    assert await journal.read("isnet") == [
        Change(3.0, "route", "isnet@1=90% isnet@2=10%", done=True, text="before: isnet@1"),
        Change(1.0, "promote", "isnet@2", done=False, text="It is too slow."),
    ]
    assert await journal.read("nothing") == []


async def test_only_the_newest_changes_are_read(database: RoutingDatabase) -> None:
    times = iter(range(1000))
    journal = Journal(database, lambda: next(times))
    for _ in range(MOST + 1):
        await journal.write(journal.entry("isnet", "rollback", "isnet@1", done=True, text=""))
    read = await journal.read("isnet")
    assert len(read) == MOST
    assert read[-1].time == 1.0


async def test_what_is_found_of_copies_adds_up(database: RoutingDatabase) -> None:
    findings = Findings(database)
    await findings.add(PAIR, Copies(1, 0, 0, difference=0.25, largest=0.25, candidate_s=2.0, answered_s=1.0))
    await findings.add(PAIR, Copies(1, 0, 0, difference=0.5, largest=0.5, candidate_s=4.0, answered_s=1.0))
    await findings.add(PAIR, Copies(1, 0, 0, difference=0.0, largest=0.0, candidate_s=3.0, answered_s=4.0))
    await findings.add(PAIR, Copies(failed=1))
    await findings.add(PAIR, Copies(skipped=7))
    ((pair, found),) = await findings.read("isnet")
    assert pair == PAIR
    assert found == Copies(3, 1, 7, difference=0.75, largest=0.5, candidate_s=9.0, answered_s=6.0)
    assert found.mean(found.difference) == 0.25
    assert await findings.read("birefnet") == []


def test_nothing_compared_has_no_mean() -> None:
    assert Copies(skipped=1).mean(0.0) == 0.0


async def test_pairs_are_kept_apart(database: RoutingDatabase) -> None:
    findings = Findings(database)
    other = Pair("isnet", Target("birefnet", 1), Target("isnet", 1))
    await findings.add(PAIR, Copies(failed=1))
    await findings.add(other, Copies(skipped=1))
    assert dict(await findings.read("isnet")) == {PAIR: Copies(failed=1), other: Copies(skipped=1)}
