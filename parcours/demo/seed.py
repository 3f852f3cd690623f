"""Fills the demonstration's account through the public interface: contacts, purchases, segments, journeys."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import structlog

from parcours.demo import story
from parcours.demo.customers import Customer, purchases
from parcours.demo.http import Api

log = structlog.get_logger(__name__)

_COLUMNS = "external_id email first_name last_name country locale timezone city consents.email".split()


def contacts_csv(numbers: list[str]) -> bytes:
    """The customers as the CSV file that a shop would export."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for number in numbers:
        customer = Customer(number)
        country, locale, zone, city = customer.place
        writer.writerow(
            [number, customer.email, customer.first_name, customer.last_name]
            + [country, locale, zone, city, customer.consent]
        )
    return text.getvalue().encode()


def order_lines(*, last_day: date, limit: int = 0) -> Iterator[bytes]:
    """The purchases as NDJSON lines of `order.placed` events; at most `limit` customers when above 0."""
    for purchase in purchases(last_day=last_day):
        if limit and int(purchase.customer) > limit:
            continue
        order = f"cdnow-{purchase.number}"
        yield (
            json.dumps(
                {
                    "name": "order.placed",
                    "occurred_at": purchase.occurred_at.isoformat(),
                    "contact": {"external_id": purchase.customer},
                    "message_id": order,
                    "properties": {
                        "order_id": order,
                        "subtotal": float(purchase.dollars),
                        "total": float(purchase.dollars),
                        "currency": "USD",
                        "quantity": purchase.quantity,
                    },
                }
            ).encode()
            + b"\n"
        )


def wait_until_computed(api: Api, segment: str, *, seconds: float = 120) -> dict[str, Any]:
    """The segment, once its computation has ended. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        read = api.call("GET", f"segments/{segment}")
        if read["status"] == "up_to_date":
            return read
        time.sleep(0.2)
    raise TimeoutError(f"Segment {segment} is still not computed after {seconds} s.")


def seed(api: Api, *, last_day: date, limit: int = 0) -> dict[str, Any]:
    """Set up the whole story; answers the ids of what was made, and the day that it ends on.

    What is there already, by its name, is taken as it is: a start that was cut short is gone on with.
    """
    started = time.monotonic()
    numbers = sorted(
        {p.customer for p in purchases(last_day=last_day) if not limit or int(p.customer) <= limit}
    )
    job = api.call("POST", "contacts/import?wait=true", contacts_csv(numbers), content_type="text/csv")
    log.info("contacts imported", accepted=job["accepted"], refused=len(job["refused"]))
    body = b"".join(order_lines(last_day=last_day, limit=limit))
    job = api.call("POST", "events?history=true&wait=true", body, content_type="application/x-ndjson")
    log.info("purchases imported", accepted=job["accepted"], refused=len(job["refused"]))

    lists = _made(api, "lists", {key: {"name": name} for key, name in story.LISTS.items()})
    messages = _made(api, "messages", story.messages(url=api.url))
    segments = _made(api, "segments", story.segments(last_day=last_day))
    for key, segment in segments.items():
        read = wait_until_computed(api, segment)
        log.info("segment computed", segment=key, profiles=read["profiles"])
    documents = story.journeys(messages=messages, segments=segments, lists=lists, last_day=last_day)
    journeys = _made(api, "journeys", documents)
    for journey in journeys.values():
        if api.call("GET", f"journeys/{journey}")["status"] == "draft":
            api.call("POST", f"journeys/{journey}/activate")
    log.info("journeys activated", seconds=round(time.monotonic() - started, 1))
    return {
        "last_day": last_day.isoformat(),
        "limit": limit,
        "lists": lists,
        "messages": messages,
        "segments": segments,
        "journeys": journeys,
    }


def _made(api: Api, kind: str, documents: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The ids of these objects, by key, each made unless one of its name is there."""
    known = {item["name"]: item["id"] for item in api.pages(kind)}
    return {
        key: known.get(document["name"]) or api.call("POST", kind, document)["id"]
        for key, document in documents.items()
    }
