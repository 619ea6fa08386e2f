"""Where the fetcher goes: to addresses it has checked, and to no other."""

from typing import Any

import aiohttp
import pytest

from adapter.errors import DownloadError
from adapter.fetching.fetcher import Fetcher
from adapter.uploads.budget import UploadBudget
from egress.addresses import is_public
from egress.connections import make_connector
from egress.policy import RefusedError
from tests.integration.adapter.fetching.web import INNER, PICTURE, PUBLIC, Web, plain, redirect


async def refused(web: Web, url: str, **changes: Any) -> str:
    """What the caller is told; nothing inside was reached."""
    with pytest.raises(DownloadError) as caught:
        await web.fetch(url, **changes)
    assert web.inner.connections == 0
    return caught.value.message


async def test_a_picture_is_fetched(web: Web) -> None:
    assert await web.fetch(web.url("/a.png?size=1#part")) == PICTURE
    request = web.public.requests[0]
    assert request[":path"] == "/a.png?size=1"
    assert request["accept-encoding"] == "identity"
    assert request["user-agent"] == "clearcanvas"


async def test_a_picture_is_fetched_by_name(web: Web) -> None:
    web.names.answers["pictures.example"] = [[PUBLIC]]
    assert await web.fetch(web.url("/a.png", "pictures.example")) == PICTURE
    assert web.public.requests[0]["host"] == f"pictures.example:{web.public.port}"


@pytest.mark.case("S1")
@pytest.mark.parametrize(
    "host", [PUBLIC, "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "127.1", "0x7f.1", "2130706433", "localhost"]
)
async def test_the_usual_policy_does_not_reach_this_machine(web: Web, host: str) -> None:
    web.names.answers["localhost"] = [[PUBLIC]]
    await refused(web, web.url("/", host), allows=is_public)
    assert web.public.connections == 0


@pytest.mark.case("S1")
async def test_the_systems_own_answers_are_checked(web: Web) -> None:
    with UploadBudget(1 << 20).reserve() as reservation, pytest.raises(DownloadError):
        await Fetcher().fetch("http://localhost/a.png", reservation)


@pytest.mark.case("S1")
@pytest.mark.parametrize("host", [INNER, "[::ffff:127.0.0.2]", "inner.example"])
async def test_the_socket_itself_is_guarded(web: Web, host: str) -> None:
    """Whatever the rules for URLs have missed: aiohttp asks no resolver about addresses, and follows redirects."""
    web.names.answers["inner.example"] = [[INNER]]
    web.public.answers["/"] = redirect(web.url("/", host))
    async with aiohttp.ClientSession(connector=make_connector(web.policy, web.names)) as session:
        for url in (web.url("/", host), web.url("/")):
            with pytest.raises(RefusedError):
                await session.get(url)
    assert web.inner.connections == 0


@pytest.mark.case("S2")
async def test_the_answer_that_was_checked_is_the_one_connected_to(web: Web) -> None:
    web.names.answers["turns.example"] = [[PUBLIC], [INNER]]
    assert await web.fetch(web.url("/a.png", "turns.example")) == PICTURE
    assert web.names.asked == ["turns.example"]
    assert web.inner.connections == 0


@pytest.mark.case("S2")
async def test_a_name_is_looked_up_again_for_the_next_fetch(web: Web) -> None:
    web.names.answers["turns.example"] = [[PUBLIC], [INNER]]
    await web.fetch(web.url("/a.png", "turns.example"))
    await refused(web, web.url("/a.png", "turns.example"))


@pytest.mark.case("S2")
async def test_a_redirect_to_the_same_name_is_checked_anew(web: Web) -> None:
    web.names.answers["turns.example"] = [[PUBLIC], [INNER]]
    web.public.answers["/a.png"] = redirect("/b.png")
    await refused(web, web.url("/a.png", "turns.example"))


@pytest.mark.case("S3")
@pytest.mark.parametrize("answers", [[PUBLIC, INNER], [INNER, PUBLIC], [PUBLIC, "::1"], [PUBLIC, "fd00::1"]])
async def test_one_bad_answer_spoils_all(web: Web, answers: list[str]) -> None:
    web.names.answers["mixed.example"] = [answers]
    await refused(web, web.url("/a.png", "mixed.example"))
    assert web.public.connections == 0


@pytest.mark.case("S4")
async def test_three_redirects_are_followed(web: Web) -> None:
    for number in range(3):
        web.public.answers[f"/{number}"] = redirect(f"/{number + 1}", "307 Temporary Redirect")
    assert await web.fetch(web.url("/0")) == PICTURE


@pytest.mark.case("S4")
async def test_four_redirects_are_not(web: Web) -> None:
    for number in range(4):
        web.public.answers[f"/{number}"] = redirect(f"/{number + 1}")
    await refused(web, web.url("/0"))
    assert [request[":path"] for request in web.public.requests] == ["/0", "/1", "/2", "/3"]


@pytest.mark.case("S4")
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("host", [INNER, "[::ffff:127.0.0.2]", "127.2", "inner.example"])
async def test_a_redirect_inside_is_refused(web: Web, status: str, host: str) -> None:
    web.names.answers["inner.example"] = [[INNER]]
    web.public.answers["/a.png"] = redirect(web.url("/a.png", host), status)
    await refused(web, web.url("/a.png"))


@pytest.mark.case("S4")
@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/a.png", "data:image/png;base64,AA", ""])
async def test_a_redirect_out_of_the_web_is_refused(web: Web, location: str) -> None:
    web.public.answers["/a.png"] = redirect(location)
    await refused(web, web.url("/a.png"))


@pytest.mark.case("S6")
async def test_a_redirect_to_another_port_is_refused(web: Web) -> None:
    web.public.answers["/a.png"] = redirect(f"http://{PUBLIC}:{web.public.port + 1}/a.png")
    await refused(web, web.url("/a.png"))


@pytest.mark.case("S8")
async def test_all_refusals_and_failures_read_the_same(web: Web) -> None:
    web.names.answers |= {"inner.example": [[INNER]], "nothing.example": [[]]}
    web.public.answers |= {
        "/missing": plain(b"secret", "404 Not Found"),
        "/broken": plain(b"secret", "500 Internal Server Error"),
        "/forbidden": plain(b"secret", "403 Forbidden"),
        "/inside": redirect(web.url("/", INNER)),
        "/half": plain(content_length="99999"),
        "/packed": plain(content_encoding="gzip"),
    }
    urls = [web.url(path) for path in ("/missing", "/broken", "/forbidden", "/inside", "/half", "/packed")]
    urls += [web.url("/", host) for host in (INNER, "[::1]", "inner.example", "nothing.example", "unknown.example")]
    urls += ["http://127.0.0.1:1/", "ftp://127.0.0.1/", "no url", "http://user@127.0.0.1/"]
    told = {await refused(web, url) for url in urls}
    assert told == {
        "The picture could not be downloaded. Its URL must be public, http or https on the usual port, and answer "
        "with a picture of at most 25 MB within 10 seconds."
    }


@pytest.mark.case("S9")
async def test_proxies_from_the_environment_are_ignored(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, web.url("", INNER))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert await web.fetch(web.url("/a.png")) == PICTURE
    assert web.inner.connections == 0


async def test_no_cookie_goes_from_one_step_to_the_next(web: Web) -> None:
    web.public.answers["/a.png"] = plain(b"", "302 Found", location="/b.png", set_cookie="a=b; Path=/")
    await web.fetch(web.url("/a.png"))
    assert all("cookie" not in request for request in web.public.requests)
