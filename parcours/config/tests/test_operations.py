"""Health, readiness and metrics; and `parcours check`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from parcours.accounts import actions
from parcours.accounts.models import Account
from parcours.config import check, metrics
from parcours.config.tests.test_clock import START
from parcours.events import journal
from parcours.events.entries import Touched
from parcours.lib import clock
from parcours.messaging import domains

pytestmark = pytest.mark.django_db


def test_health_looks_at_nothing_else(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer["X-Request-ID"]


def test_without_its_store_the_installation_is_not_ready(
    client: Client, settings: Any, tmp_path: Any
) -> None:
    settings.DATA_DIR = tmp_path
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    checks = answer.json()["checks"]
    assert checks["database"]["ok"]
    assert not checks["store"]["ok"]
    assert checks["digest"] == {"ok": True, "lag_seconds": 0.0}


def test_the_digest_lags_by_the_age_of_the_oldest_entry() -> None:
    clock.freeze(START)
    try:
        journal.append([Touched([1])], account_id=1)
        clock.freeze(START + timedelta(seconds=90))
        journal.append([Touched([2])], account_id=1)
        assert metrics.digest_lag_seconds() == 90
    finally:
        clock.freeze(None)
    assert b"parcours_journal_rows 2.0" in metrics.exposition()


def test_metrics_are_for_this_machine_or_who_bears_the_token(client: Client, settings: Any) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    settings.METRICS_TOKEN = "let me see"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer let me see"}).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer é"}).status_code == 403


def test_a_request_id_is_kept_when_it_is_one(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1"})["X-Request-ID"] == "abc-1"
    assert client.get("/healthz", headers={"X-Request-ID": "a b\tc"})["X-Request-ID"] != "a b\tc"


def test_the_check_tells_what_is_to_be_mended(settings: Any, tmp_path: Any) -> None:
    actions.create_account(name="A", email="ada@sender.invalid", password="correct horse battery")
    settings.DATA_DIR = tmp_path
    settings.PUBLIC_URL = "http://shop.example"
    settings.DEBUG = True
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    found = {finding.subject: finding.state for finding in check.findings()}
    assert found["database"] == "good"
    assert found["event store"] == "note"
    assert found["public address"] == found["debug"] == found["mail server"] == "bad"
    told = found.get("SPF of sender.invalid", found.get("SPF and DMARC"))
    assert told in ("bad", "note"), "a domain that cannot exist has no SPF, where that can be verified"


def test_the_check_names_the_record_of_each_sending_domain(settings: Any, tmp_path: Any) -> None:
    account = actions.create_account(
        name="A", email="a@shop.invalid", password="correct horse battery"
    ).account
    Account.objects.update(sender_email="news@sender.invalid")
    settings.DATA_DIR = tmp_path
    key = domains.create(account, domain="shop.invalid", selector="k1", now=clock.now())
    [found] = [finding for finding in check.findings() if finding.subject == "DKIM of shop.invalid"]
    assert found.state in ("bad", "note"), "a domain that cannot exist publishes nothing"
    assert f'k1._domainkey.shop.invalid TXT "{key.public_record}"' in found.detail
    assert key.private_key not in found.detail
    [unsigned] = [finding for finding in check.findings() if finding.subject == "DKIM of sender.invalid"]
    assert (unsigned.state, "unsigned" in unsigned.detail) == ("note", True)
    settings.SECRET_KEY = "another"
    [found] = [finding for finding in check.findings() if finding.subject == "DKIM of shop.invalid"]
    assert (found.state, "PARCOURS_SECRET_KEY" in found.detail) == ("bad", True)
