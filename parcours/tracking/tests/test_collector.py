"""The tracking API over HTTP: what is answered, and that what is answered 200 is on disk."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from parcours.events.entries import Call
from parcours.tracking.collector import app
from parcours.tracking.tests.conftest import Collector, start_collector


def kept(collector: Collector, user: str) -> list[Call]:
    found = [entry for entry in collector.kept() if isinstance(entry, Call)]
    return [entry for entry in found if user in (entry.body.user_id, entry.body.anonymous_id)]


def test_a_call_is_on_disk_when_it_is_answered(collector: Collector) -> None:
    answer = collector.post("/v1/track", {"event": "Tried", "userId": "on-disk", "properties": {"a": 1}})
    assert answer.status_code == 200
    assert answer.json() == {"success": True}
    [call] = kept(collector, "on-disk")
    assert (call.kind, call.body.event, call.body.properties) == ("track", "Tried", {"a": 1})


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (path, kind)
        for kind in ("identify", "track", "page", "screen", "group", "alias")
        for path in (f"/v1/{kind}", f"/v1/{kind[0]}")
    ],
)
def test_each_kind_has_its_long_and_short_address(collector: Collector, path: str, kind: str) -> None:
    user = f"kind{path}"
    call = {"event": "Tried", "userId": user, "previousId": "before", "anonymousId": None}
    assert collector.post(path, call).status_code == 200
    assert [each.kind for each in kept(collector, user)] == [kind]


def test_the_key_comes_in_the_header_or_in_the_body(collector: Collector) -> None:
    key, call = collector.account.write_key, {"event": "Tried", "userId": "key-in-body"}
    assert collector.http.post("/v1/t", json=call | {"writeKey": key}).status_code == 200
    batch = {"writeKey": key, "batch": [call | {"type": "track"}]}
    assert collector.http.post("/v1/b", json=batch).status_code == 200
    assert len(kept(collector, "key-in-body")) == 2


@pytest.mark.parametrize("key", ["", "nobody's", "x" * 5000, "é", "a\nb"])
def test_an_unknown_key_is_401(collector: Collector, key: str) -> None:
    basic = base64.b64encode(f"{key}:".encode()).decode()
    for _ in range(2):
        answer = collector.http.post(
            "/v1/track",
            json={"event": "Tried", "userId": "x"},
            headers={"authorization": f"Basic {basic}"},
        )
        assert answer.status_code == 401
        assert answer.json()["reason"] == "unknown_key"
    assert collector.http.post("/v1/batch", json={"batch": [], "writeKey": ["k"]}).status_code == 401
    assert (
        collector.http.post("/v1/t", json={"userId": "x"}, headers={"authorization": "Basic ?"}).status_code
        == 401
    )


def test_each_key_opens_its_own_account(collector: Collector) -> None:
    call = {"event": "Tried", "userId": "of-the-other"}
    assert collector.post("/v1/track", call, key=collector.other.write_key).status_code == 200
    assert kept(collector, "of-the-other") == []
    theirs = [entry for entry in collector.kept(collector.other) if isinstance(entry, Call)]
    assert [entry.body.user_id for entry in theirs] == ["of-the-other"]


def test_a_bad_call_of_a_batch_is_refused_alone(collector: Collector) -> None:
    batch = [
        {"type": "track", "event": "Tried", "userId": "alone", "messageId": "1"},
        {"type": "purchase", "userId": "alone"},
        "not an object",
        {"type": "track", "event": "Tried", "userId": "alone", "pad": "x" * 33_000},
        {"type": "track", "event": "contact.created", "userId": "alone"},
        {"type": "page", "userId": "alone", "messageId": "2"},
        {"type": "track", "event": "Tried"},
    ]
    answer = collector.post("/v1/batch", {"batch": batch})
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    rejected = {each["index"]: each["reason"] for each in answer.json()["rejected"]}
    assert rejected == {
        1: "unknown_type",
        2: "not_an_object",
        3: "too_large",
        4: "unknown_event",
        6: "no_subject",
    }
    assert [each.message_id for each in kept(collector, "alone")] == ["1", "2"]


def test_the_timestamp_of_a_batch_is_corrected_by_its_sent_at(collector: Collector) -> None:
    call = {"type": "track", "event": "Tried", "userId": "clock", "timestamp": "2001-01-01T00:00:00Z"}
    collector.post("/v1/batch", {"batch": [call], "sentAt": "2001-01-01T00:01:00Z"})
    [each] = kept(collector, "clock")
    assert each.occurred_at == each.received_at - 60_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"batch": {}}', 400),
        (b'{"batch": 7}', 400),
        (b'{"batch": null}', 400),
        (b'{"batch": []}', 200),
        (b'{"batch": [NaN]}', 400),
        (b'{"batch": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", 400),
        (b"\xff\xfe{}", 400),
    ],
)
def test_a_batch_that_cannot_be_read_is_400(collector: Collector, body: bytes, status: int) -> None:
    answer = collector.post("/v1/batch", body)
    assert answer.status_code == status
    assert answer.json()["success"] is (status == 200)


def test_sizes_are_counted_once_decompressed(collector: Collector) -> None:
    calls = [{"type": "track", "event": "Tried", "userId": "size", "pad": "x" * 31_000}] * 17
    too_much = json.dumps({"batch": calls}).encode()
    assert len(too_much) > 500 * 1024
    enough = json.dumps({"batch": calls[:16]}).encode()
    zipped = {"content-encoding": "gzip"}
    assert collector.post("/v1/batch", too_much).status_code == 413
    assert collector.post("/v1/batch", gzip.compress(too_much), headers=zipped).status_code == 413
    assert (
        collector.post("/v1/batch", gzip.compress(b" " * 500_000_000, 1), headers=zipped).status_code == 413
    )
    assert collector.post("/v1/batch", enough).status_code == 200
    assert collector.post("/v1/batch", gzip.compress(enough), headers=zipped).status_code == 200
    assert collector.post("/v1/batch", gzip.compress(enough)[:-9], headers=zipped).status_code == 400
    assert collector.post("/v1/batch", enough, headers=zipped).status_code == 400
    assert collector.post("/v1/batch", enough, headers={"content-encoding": "br"}).status_code == 400
    assert len(kept(collector, "size")) == 32
    call = {"event": "Tried", "userId": "size-of-one", "pad": "x" * 33_000}
    assert collector.post("/v1/track", call).status_code == 413
    assert (
        collector.post("/v1/track", gzip.compress(json.dumps(call).encode()), headers=zipped).status_code
        == 413
    )


def test_text_plain_and_other_types_are_read_as_json(collector: Collector) -> None:
    for kind in ("text/plain", "application/json; charset=utf-8", "application/x-www-form-urlencoded"):
        call = json.dumps({"event": "Tried", "userId": "plain"}).encode()
        assert collector.post("/v1/t", call, headers={"content-type": kind}).status_code == 200
    assert len(kept(collector, "plain")) == 3


def test_browsers_of_any_origin_may_send(collector: Collector) -> None:
    answer = collector.http.options(
        "/v1/t",
        headers={
            "origin": "https://shop.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,x-retry-count,anonymousid,sentat",
        },
    )
    assert answer.status_code in (200, 204)
    assert answer.headers["access-control-allow-origin"] == "*"
    allowed = answer.headers["access-control-allow-headers"]
    assert {"authorization", "content-type", "x-retry-count", "anonymousid", "sentat"} <= set(
        allowed.replace(" ", "").split(",")
    )
    for answer in (
        collector.post("/v1/t", {"event": "Tried", "userId": "cors"}),
        collector.post("/v1/t", {"event": "Tried"}),
        collector.post("/v1/t", {"event": "Tried", "userId": "cors"}, key="nobody's"),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


def test_other_addresses(collector: Collector) -> None:
    key = collector.account.write_key
    settings = collector.http.get(f"/v1/projects/{key}/settings")
    assert settings.status_code == 200
    assert settings.json()["integrations"]["Segment.io"]["apiKey"] == key
    assert collector.http.get("/v1/projects/nobody/settings").status_code == 401
    assert "Disallow: /" in collector.http.get("/robots.txt").text
    assert collector.http.get("/v1/track").status_code == 405
    assert collector.http.get("/v1/nothing").status_code == 404
    assert collector.http.post("/v1/nothing").status_code == 404
    for path in ("/v1/nothing", "/v1/track"):
        assert collector.http.get(path).json()["detail"]


def test_a_privacy_signal_and_a_browser_are_noted(collector: Collector) -> None:
    origin = {"origin": "https://shop.example", "user-agent": "Mozilla/5.0 <script>alert(1)</script>"}
    collector.post("/v1/page", {"anonymousId": "seen"}, headers=origin)
    collector.post("/v1/page", {"anonymousId": "gpc"}, headers=origin | {"sec-gpc": "1"})
    collector.post("/v1/page", {"anonymousId": "server"}, headers={"user-agent": "analytics-python/2"})
    [seen], [quiet], [server] = (kept(collector, name) for name in ("seen", "gpc", "server"))
    assert (seen.source, seen.agent) == ("browser", origin["user-agent"])
    assert quiet.source == "gpc"
    assert (server.source, server.agent) == ("", "")


def test_many_at_once_are_all_kept_once(collector: Collector) -> None:
    def send(number: int) -> int:
        call = {"event": "Tried", "userId": "crowd", "messageId": f"crowd-{number}"}
        return collector.post("/v1/track", call).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(send, range(300))) == {200}
    ids = [each.message_id for each in kept(collector, "crowd")]
    assert sorted(ids) == sorted(f"crowd-{number}" for number in range(300))


def _raw(collector: Collector, head: str, body: bytes, *, close: bool) -> bytes:
    with socket.create_connection(("127.0.0.1", collector.installation.port), timeout=10) as link:
        link.sendall(head.replace("\n", "\r\n").encode() + body)
        if close:
            link.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := link.recv(65536):
            answer += chunk
        return answer


def test_a_lying_content_length_harms_nobody(collector: Collector) -> None:
    key = base64.b64encode(f"{collector.account.write_key}:".encode()).decode()
    body = json.dumps({"event": "Tried", "userId": "liar"}).encode()
    head = f"POST /v1/track HTTP/1.1\nHost: x\nAuthorization: Basic {key}\nConnection: close\nContent-Length: %d\n\n"
    assert b" 413 " in _raw(collector, head % 10**12, body, close=False).split(b"\r\n")[0]
    assert b" 200 " not in _raw(collector, head % (len(body) + 50), body, close=True)
    assert b" 400 " in _raw(collector, head % (len(body) - 5), body, close=False).split(b"\r\n")[0]
    assert kept(collector, "liar") == []
    assert collector.post("/v1/track", {"event": "Tried", "userId": "after-liar"}).status_code == 200


def test_a_full_disk_is_503(collector: Collector) -> None:
    installation = collector.installation
    full = type(installation)(installation.data_dir, port=installation.port + 1)
    full.environment = {"PARCOURS_DISK_FULL_PERCENT": "0.001"}
    process = start_collector(full)
    try:
        answer = httpx.post(
            f"{full.url}/v1/track",
            json={"event": "Tried", "userId": "full"},
            auth=(collector.account.write_key, ""),
        )
    finally:
        process.terminate()
        process.wait(10)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "disk" in answer.json()["detail"]
    assert kept(collector, "full") == []


def test_what_was_answered_survives_a_kill(collector: Collector) -> None:
    """Killed under load again and again: every call answered 200 is there, none more than its sender sent."""
    installation = collector.installation
    victim = type(installation)(installation.data_dir, port=installation.port + 2)
    answered: set[str] = set()
    sent: set[str] = set()
    url, key = f"{victim.url}/v1/track", (collector.account.write_key, "")

    def send(worker: str) -> None:
        for number in range(100_000):
            name = f"{worker}-{number}"
            sent.add(name)
            try:
                answer = http.post(
                    url, json={"event": "Tried", "userId": "killed", "messageId": name}, auth=key
                )
            except httpx.HTTPError:
                return
            assert answer.status_code == 200
            answered.add(name)

    for start in range(1):
        process = start_collector(victim)
        with httpx.Client(timeout=5) as http, ThreadPoolExecutor(8) as pool:
            sending = [pool.submit(send, f"{start}-{worker}") for worker in range(8)]
            time.sleep(0.5)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            for each in sending:
                each.result()
    ids = [each.message_id for each in kept(collector, "killed")]
    assert len(answered) > 50
    assert answered <= set(ids) <= sent
    assert len(ids) == len(set(ids))


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "BODY_SECONDS", 0.05)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not sent:
            sent.append(None)
            return {"type": "http.request", "body": b"{", "more_body": True}
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    with pytest.raises(app.Answer) as caught:
        asyncio.run(app._body(receive, 100))
    assert caught.value.status == 408
