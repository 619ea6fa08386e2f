"""A trace begins where the price is asked, and goes on with the paid request down to the image service."""

from pathlib import Path

import pytest

from telemetry.traces import tracing
from tests.integration.adapter.fake_service import FakeImageService, RunningFake
from tests.integration.adapter.shop import PATH, running_shop, x402
from tests.support.collector import running_collector

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


@pytest.mark.case("O3")
@pytest.mark.case("O1")
async def test_one_trace_from_the_price_to_the_paid_edit(
    running_fake: RunningFake, fake: FakeImageService, tmp_path: Path
) -> None:
    with running_collector() as collector:
        with tracing("adapter", collector.endpoint):
            async with running_shop(running_fake.address, tmp_path) as shop:
                asked, _ = await shop.post(CALLER)
                paid, _ = await shop.post(CALLER | x402("canary-credential"))
        assert [asked.status, paid.status] == [402, 200]
        spans = collector.spans()

    tops = [span for span in spans if span.name == f"POST {PATH}"]
    facts = [{fact.key: fact.value for fact in span.attributes} for span in tops]
    assert [fact["http.response.status_code"].int_value for fact in facts] == [402, 200]
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    (settle,) = (span for span in spans if span.name == "settle")
    assert settle.parent_span_id == tops[1].span_id
    assert fake.traceparents == [f"00-{TRACE}-{tops[1].span_id.hex()}-01"]
    assert "canary" not in str(spans)


async def test_without_traces_nothing_is_handed_on(
    running_fake: RunningFake, fake: FakeImageService, tmp_path: Path
) -> None:
    async with running_shop(running_fake.address, tmp_path) as shop:
        response, _ = await shop.post(CALLER | x402())

    assert response.status == 200
    assert fake.traceparents == [""]
