"""The rules on machines and on refusals, one example each."""

from __future__ import annotations

from pathlib import Path

import pytest

from parcours.messaging import machines
from parcours.messaging.machines import Rules, RulesError, Touch
from parcours.messaging.sending.replies import TYPES, classify

PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        ("Mozilla/5.0", "prefetch"),
        (PERSON, ""),
        (GMAIL, ""),
        ("", ""),
        ("BarracudaCentral", "scanner"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", "scanner"),
        ("Mozilla/5.0 HeadlessChrome/140", "scanner"),
    ],
)
def test_agents(agent: str, reason: str) -> None:
    assert machines.open_reason(agent=agent, address="192.0.2.1") == reason


@pytest.mark.parametrize(
    ("others", "links", "accepted_at", "reason"),
    [
        ([], 3, 0, ""),
        ([], 3, 99_500, "too_soon"),
        ([], 3, 98_900, ""),
        ([], 3, 101_000, "too_soon"),
        ([], 3, None, "too_soon"),
        ([Touch(link=2, at=100_500, agent=PERSON)], 2, 0, "burst"),
        ([Touch(link=2, at=100_500, agent=PERSON)], 3, 0, ""),
        ([Touch(link=2, at=99_000, agent=PERSON), Touch(link=3, at=102_900, agent=PERSON)], 9, 0, "burst"),
        ([Touch(link=2, at=99_000, agent=PERSON), Touch(link=3, at=103_100, agent=PERSON)], 9, 0, ""),
        ([Touch(link=1, at=100_100, agent=PERSON)] * 5, 9, 0, ""),
        ([Touch(link=1, at=91_000, agent=PERSON, probe=True)], 1, 0, "head"),
        ([Touch(link=1, at=89_000, agent=PERSON, probe=True)], 1, 0, ""),
    ],
)
def test_clicks_beside_others(others: list[Touch], links: int, accepted_at: int | None, reason: str) -> None:
    click = Touch(link=1, at=100_000, agent=PERSON)
    assert machines.click_reason(click, others=others, accepted_at=accepted_at, links=links) == reason


def test_the_rules_are_settable(tmp_path: Path) -> None:
    assert machines.parse("") == Rules()
    mine = machines.parse('{"networks": ["203.0.113.0/24"], "seconds_after_acceptance": 9, "off": ["head"]}')
    assert mine.address_reason("203.0.113.7") == "data_centre"
    assert mine.address_reason("203.0.114.7") == ""
    assert mine.address_reason("nonsense") == ""
    file = tmp_path / "rules.json"
    file.write_text('{"burst_links": 5}')
    assert machines.parse(str(file)).burst_links == 5


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1]",
        '{"nothing": 1}',
        '{"networks": ["x"]}',
        '{"scanner_agents": ["("]}',
        '{"burst_links": -1}',
        "/no/file",
    ]
    + ['{"off": "head"}', '{"burst_seconds": true}'],
)
def test_rules_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(RulesError, match="PARCOURS_MACHINE_RULES"):
        machines.parse(text)


@pytest.mark.parametrize(
    ("code", "text", "at_recipient", "reason"),
    [
        (550, "5.1.1 The email account that you tried to reach does not exist", True, "unknown_user"),
        (550, "Requested action not taken: mailbox unavailable", True, "unknown_user"),
        (550, "Requested action not taken", False, "other"),
        (552, "5.2.2 The email account that you tried to reach is over quota", True, "mailbox_full"),
        (452, "4.2.2 Mailbox full", True, "mailbox_full"),
        (552, "message size exceeds fixed maximum", False, "too_large"),
        (552, "5.3.4 Message too big", False, "too_large"),
        (450, "4.2.0 Greylisted, see http://postgrey.example", True, "greylisted"),
        (421, "4.7.0 Too many messages from your address", True, "rate_limited"),
        (
            550,
            "5.7.26 This message does not pass authentication checks (SPF and DKIM)",
            False,
            "authentication",
        ),
        (554, "5.7.1 Service unavailable; client host blocked using zen.spamhaus.org", True, "reputation"),
        (550, "5.7.1 Unable to relay", True, "relay_denied"),
        (550, "5.2.1 The email account that you tried to reach is disabled", True, "inactive"),
        (556, "5.1.10 Recipient address has null MX", True, "bad_domain"),
        (554, "5.6.0 Message contains a virus", False, "content"),
        (451, "Temporary local problem", False, "unavailable"),
        (500, "what?", False, "other"),
    ],
)
def test_replies(code: int, text: str, at_recipient: bool, reason: str) -> None:
    assert classify(code, text, at_recipient=at_recipient) == (reason, TYPES[reason])
