"""The API's account, keys and jobs."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict

from parcours.accounts import actions, jobs
from parcours.accounts.access import ADMIN, Actor, find, for_account
from parcours.accounts.api_auth import needs
from parcours.accounts.models import Account, ApiKey, Job
from parcours.lib.paging import Paging, newest_first

router = Router(tags=["account"])


def actor_of(request: HttpRequest) -> Actor:
    """The caller, as the API's authentication has found."""
    return request.actor  # type: ignore[attr-defined]


class AccountChange(Schema):
    """What may be changed in an account; what is absent stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = None
    timezone: str | None = None
    currency: str | None = None
    country: str | None = None
    attribution_days: int | None = None
    sender_name: str | None = None
    sender_email: str | None = None
    postal_address: str | None = None
    plan: str | None = None


class NewKey(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    scopes: list[str]


def account_json(account: Account) -> dict[str, Any]:
    """An account as the API tells it."""
    return {
        "id": str(account.pk),
        "name": account.name,
        "plan": account.plan,
        "timezone": account.timezone,
        "currency": account.currency,
        "country": account.country,
        "attribution_days": account.attribution_days,
        "sender_name": account.sender_name,
        "sender_email": account.sender_email,
        "postal_address": account.postal_address,
        "write_key": account.write_key,
        "last_page_at": account.last_page_at,
        "created_at": account.created_at,
    }


def key_json(key: ApiKey) -> dict[str, Any]:
    """A key as the API tells it: never its secret."""
    return {
        "id": str(key.pk),
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }


@router.get("/account", summary="The account of the key")
def read_account(request: HttpRequest) -> Any:
    return account_json(actor_of(request).account)


@router.patch("/account", auth=needs(ADMIN), summary="Change the account's settings")
def change_account(request: HttpRequest, payload: AccountChange) -> Any:
    values = {
        key: value for key, value in payload.model_dump(exclude_unset=True).items() if value is not None
    }
    actor = actor_of(request)
    plan = values.pop("plan", None)
    with transaction.atomic():
        if plan is not None:
            actions.change_plan(actor, plan)
        if values:
            actions.change_settings(actor.account, values, by=actor)
    return account_json(actor.account)


@router.get("/api-keys", auth=needs(ADMIN), summary="The account's API keys, revoked ones included")
def list_keys(request: HttpRequest, paging: Query[Paging]) -> Any:
    return newest_first(for_account(ApiKey, actor_of(request)), paging, as_json=key_json)


@router.post(
    "/api-keys", auth=needs(ADMIN), response={201: Any}, summary="Make an API key; its secret is told once"
)
def make_key(request: HttpRequest, payload: NewKey) -> Any:
    key, secret = actions.create_key(
        account=actor_of(request).account,
        name=payload.name,
        scopes=payload.scopes,
        by=actor_of(request),
    )
    return Status(201, {**key_json(key), "api_key": secret})


@router.delete("/api-keys/{key_id}", auth=needs(ADMIN), response={204: None}, summary="Revoke an API key")
def revoke_key(request: HttpRequest, key_id: str) -> Any:
    actions.revoke_key(find(ApiKey, key_id, actor=actor_of(request)), by=actor_of(request))
    return Status(204, None)


@router.get("/jobs", summary="The account's jobs, newest first")
def list_jobs(request: HttpRequest, paging: Query[Paging]) -> Any:
    return newest_first(for_account(Job, actor_of(request)), paging, as_json=jobs.as_json)


@router.get("/jobs/{job_id}", summary="How far a job is, and what it refused")
def read_job(request: HttpRequest, job_id: str, wait: bool = False) -> Any:
    job = find(Job, job_id, actor=actor_of(request))
    return jobs.as_json(jobs.wait(job) if wait else job)
