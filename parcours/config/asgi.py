"""The ASGI application: the collector's addresses first, Django for the rest."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parcours.config.settings")

django_application = get_asgi_application()
application = django_application
