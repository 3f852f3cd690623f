"""Every address of the installation but the collector's, which is beside Django."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("parcours.ui.urls")),
    path("", include("parcours.accounts.urls")),
]
