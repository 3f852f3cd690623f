"""Opens and clicks, from the public address to the journal."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from django.db import transaction

from parcours.events import journal
from parcours.events.entries import Event
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.messaging import arrivals, machines
from parcours.messaging.machines import Touch
from parcours.messaging.models import Click, Link, Send
from parcours.tracking.digest.enrich import agent_properties

_BATCH = 1_000
_LONGEST_AGENT = 500


def event_of(
    send: Send, name: str, *, at: int, received_at: int, properties: dict[str, Any], machine: str = ""
) -> Event:
    """An event about a send, with all its links."""
    if machine:
        properties = {**properties, "machine_reason": machine}
    return Event(
        name=name,
        occurred_at=at,
        received_at=received_at,
        message_id=new_id(),
        contact=send.contact_id,
        properties=properties,
        journey=send.journey_id or 0,
        version=send.version or 0,
        step=send.step,
        enrolment=send.enrolment_id or 0,
        visit=send.visit,
        message=send.message_id,
        send=str(send.pk),
        machine=bool(machine),
    )


def _of_agent(agent: str) -> dict[str, Any]:
    """What an agent says: its own text, and the browser and kind of device that it names."""
    browser, device = agent_properties(agent)
    named = {} if browser is None else {"browser": browser, "device_type": device}
    return {"agent": agent, **named}


def record_open(send: Send, *, agent: str, address: str, now: datetime) -> None:
    """Tell that a mail's pixel was loaded. A test's opens are nobody's."""
    if send.is_test:
        return
    reason = machines.open_reason(agent=agent, address=address)
    at = to_ms(now)
    event = event_of(
        send,
        "email.opened",
        at=at,
        received_at=at,
        properties=_of_agent(agent[:_LONGEST_AGENT]),
        machine=reason,
    )
    with transaction.atomic():
        if not reason:
            Send.objects.filter(pk=send.pk, first_opened_at__isnull=True).update(first_opened_at=now)
        journal.append([event], account_id=send.account_id)


def record_click(
    send: Send, link: Link, *, target: str, agent: str, address: str, probe: bool, now: datetime
) -> int | None:
    """Tell that a tracked link was followed, or have it settle first where its mail has several links.

    All of a mail's links followed at once are a scanner's, which the first click alone does not show: such clicks
    wait `burst_seconds`, then are told together (`settle`). So does a click that comes before the instant at which
    the server took the mail is known.

    Answers the click that is still to be judged, 0 when it is a person's, None when it is nobody's.
    """
    if send.is_test:
        return None
    agent = agent[:_LONGEST_AGENT]
    by_address = machines.rules().address_reason(address)
    if by_address or not (probe or send.sent_at is None or _has_others(send, link)):
        touch = Touch(link=link.pk, at=to_ms(now), agent=agent, address=address, probe=probe)
        reason = machines.click_reason(touch, others=(), accepted_at=_ms(send.sent_at), links=1)
        event = _clicked(send, link.url, touch, target=target, reason=reason, received_at=to_ms(now))
        with transaction.atomic():
            journal.append([event], account_id=send.account_id)
        return None if reason else 0
    click = Click.objects.create(
        account_id=send.account_id, send=send, link=link, address=target, agent=agent, probe=probe, at=now
    )
    return None if probe or machines.rules().agent_reason(agent) else click.pk


def _has_others(send: Send, link: Link) -> bool:
    """Whether other links or other recent clicks may say more about this one."""
    return (
        Link.objects.filter(message_id=link.message_id).exclude(pk=link.pk).exists()
        or Click.objects.filter(send=send).exists()
    )


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else to_ms(instant)


def _clicked(send: Send, url: str, touch: Touch, *, target: str, reason: str, received_at: int) -> Event:
    properties = {"url": target, "original_url": url, "link": str(touch.link), **_of_agent(touch.agent)}
    return event_of(
        send, "email.clicked", at=touch.at, received_at=received_at, properties=properties, machine=reason
    )


def settle(*, now: datetime) -> bool:
    """Tell the clicks that have waited long enough; answers whether there was any."""
    known, at = machines.rules(), to_ms(now)
    ripe = at - int(known.burst_seconds * 1000)
    kept_for = max(2 * known.burst_seconds, 2 * known.head_seconds, 2 * arrivals.VALID_MINUTES * 60)
    of_no_more_use = at - int(kept_for * 1000)
    waiting = Click.objects.filter(told=False, at__lte=ripe).exclude(send__status=Send.Status.CLAIMED)
    if not waiting.exists():
        if Click.objects.filter(told=True, at__lt=of_no_more_use).exists():
            Click.objects.filter(told=True, at__lt=of_no_more_use).delete()
        return False
    with transaction.atomic():
        clicks = list(
            waiting.select_for_update(skip_locked=True, of=("self",))
            .select_related("send", "link")
            .order_by("at", "id")[:_BATCH]
        )
        events = _judged(clicks, received_at=at)
        for account, entries in events.items():
            journal.append(entries, account_id=account)
        Click.objects.bulk_update(clicks, ["told", "machine"])
    return bool(clicks)


def _judged(clicks: list[Click], *, received_at: int) -> dict[int, list[Event]]:
    """The events of clicks, by account, each judged beside the others of its mail."""
    touches: dict[int, dict[int, Touch]] = defaultdict(dict)
    for click in Click.objects.filter(send_id__in={click.send_id for click in clicks}):
        touches[click.send_id][click.pk] = Touch(
            link=click.link_id, at=to_ms(click.at), agent=click.agent, probe=click.probe
        )
    messages = {click.link.message_id for click in clicks}
    links = Counter(Link.objects.filter(message_id__in=messages).values_list("message_id", flat=True))
    events: dict[int, list[Event]] = defaultdict(list)
    for click in clicks:
        touch = touches[click.send_id].pop(click.pk)
        reason = machines.click_reason(
            touch,
            others=list(touches[click.send_id].values()),
            accepted_at=_ms(click.send.sent_at),
            links=links[click.link.message_id],
        )
        touches[click.send_id][click.pk] = touch
        click.told, click.machine = True, bool(reason)
        events[click.account_id].append(
            _clicked(
                click.send,
                click.link.url,
                touch,
                target=click.address,
                reason=reason,
                received_at=received_at,
            )
        )
    return events
