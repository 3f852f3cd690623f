"""Runs the import waiting in a data directory, to be killed at a boundary: `python -m … sweep` in a subprocess."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parcours.config.settings")

if __name__ == "__main__":
    import django

    django.setup()
    from parcours.accounts import jobs

    while jobs.round():
        pass
