from __future__ import annotations

from typing import Any

from django.apps import AppConfig


def _part_browsers(
    sender: object, *, account_id: int, people: list[tuple[int, Any, Any]], **_: object
) -> None:
    from parcours.lib import clock
    from parcours.tracking import identity

    identity.part_browsers(
        account_id=account_id, contact_ids=[person[0] for person in people], now=clock.now()
    )


class TrackingAppConfig(AppConfig):
    name = "parcours.tracking"
    label = "tracking"

    def ready(self) -> None:
        from parcours.accounts import jobs
        from parcours.contacts.merging import following, pairs
        from parcours.contacts.signals import contacts_erased
        from parcours.tracking import identity, importing

        contacts_erased.connect(_part_browsers)
        following.register("tracking_visitorlink", "contact_id")
        pairs.register(identity.shared_browsers)
        jobs.register(importing.KIND, importing.run)
