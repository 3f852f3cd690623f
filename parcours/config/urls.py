"""Every address of the installation but the collector's, which is beside Django."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path, re_path

from parcours.config import errors, operations
from parcours.config.api import api

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error

urlpatterns = [
    path("healthz", operations.healthz, name="healthz"),
    path("readyz", operations.readyz, name="readyz"),
    path("metrics", operations.prometheus, name="metrics"),
    path("api/v1/", api.urls),
    re_path(r"^api/(?P<rest>.*)$", errors.api_not_found),
    path("", include("parcours.ui.urls")),
    path("", include("parcours.accounts.urls")),
    path("", include("parcours.contacts.merging.urls")),  # before contacts, whose ids its addresses would be
    path("", include("parcours.contacts.urls")),
    path("", include("parcours.commerce.urls")),
    path("", include("parcours.segments.urls")),
    path("", include("parcours.segments.builder.urls")),
    path("", include("parcours.messaging.urls")),
    path("", include("parcours.journeys.urls")),
    path("", include("parcours.reports.urls")),
]

if settings.DEMO:
    urlpatterns.append(path("", include("parcours.demo.urls")))
