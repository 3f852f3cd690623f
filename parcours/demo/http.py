"""The demonstration's only way in: the public HTTP interface, as any program outside would use it."""

from __future__ import annotations

import json
import time
from typing import Any

import urllib3


class Refused(RuntimeError):
    """The installation answered with a problem."""


def wait_until_ready(url: str, *, seconds: float = 120) -> bool:
    """Wait until an installation says that it is ready; whether it did."""
    pool = urllib3.PoolManager(retries=False, timeout=5)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if pool.request("GET", f"{url}/readyz").status == 200:
                return True
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.2)
    return False


class Api:
    """A client of `/api/v1` with an API key."""

    def __init__(self, *, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._pool = urllib3.PoolManager(
            maxsize=4, timeout=urllib3.Timeout(connect=5, read=600), retries=False
        )

    def call(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json"
    ) -> Any:
        """Call a route; `body` is JSON data, or bytes or an iterable of bytes sent as they are.

        Raises Refused with the problem's text for any answer of 400 and above.
        """
        raw = body if body is None or content_type != "application/json" else json.dumps(body).encode()
        headers = {**self._headers, **({"Content-Type": content_type} if body is not None else {})}
        answer = self._pool.request(method, f"{self.url}/api/v1/{path}", body=raw, headers=headers)
        if answer.status >= 400:
            raise Refused(f"{method} {path}: {answer.status} {answer.data.decode(errors='replace')[:500]}")
        return json.loads(answer.data) if answer.data else None

    def pages(self, path: str) -> list[Any]:
        """Every item of a list, page after page."""
        items: list[Any] = []
        cursor = ""
        while True:
            sign = "&" if "?" in path else "?"
            page = self.call("GET", f"{path}{sign}limit=1000{cursor}")
            items += page["items"]
            if not page["next"]:
                return items
            cursor = f"&cursor={page['next']}"
