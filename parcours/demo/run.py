"""`parcours demo`: an installation with a sink for its mail, a shop, customers, and an audience that reads."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from parcours.demo.http import wait_until_ready
from parcours.demo.state import State

EMAIL = "demo@example.org"
#: A day of the journeys passes in a minute.
SPEED = 1440


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare(*, host: str, port: int) -> State:
    """Choose, once, the demonstration's clock and ports, and set the environment of its processes.

    Whatever the environment says already stands.
    """
    data_dir = Path(os.environ.setdefault("PARCOURS_DATA_DIR", "./var")).resolve()
    state = State(data_dir)
    if state.get("sink_port") is None:
        start = datetime.now(UTC).replace(hour=20, minute=0, second=0, microsecond=0)
        state.keep(
            clock=os.environ.get("PARCOURS_CLOCK") or f"{start:%Y-%m-%dT%H:%M:%SZ}*{SPEED}",
            sink_port=_free_port(),
            password=f"parcours-{secrets.token_hex(3)}",
        )
    os.environ.setdefault("PARCOURS_CLOCK", state["clock"])
    os.environ.setdefault("PARCOURS_EMAIL_URL", f"smtp://127.0.0.1:{state['sink_port']}")
    os.environ["PARCOURS_PUBLIC_URL"] = f"http://{host}:{port}"
    os.environ["PARCOURS_DEMO"] = "1"
    return state


def ensure_account(state: State) -> None:
    """The demonstration's account, made at the first start, with its keys kept."""
    from parcours.accounts import actions

    if state.get("api_key"):
        return
    made = actions.create_account(
        name="Le Disquaire",
        email=EMAIL,
        password=state["password"],
        timezone="Europe/Paris",
        currency="USD",
        any_password=True,
    )
    state.keep(api_key=made.api_key, write_key=made.write_key, account=str(made.account.pk))


def parts(state: State, *, url: str) -> dict[str, list[str]]:
    """The processes that the demonstration adds to an installation's: name -> arguments of `parcours`."""
    return {
        "sink": ["demo-part", "sink", str(state["sink_port"])],
        "life": ["demo-part", "life", url],
    }


def announce(state: State, *, url: str) -> None:
    """Say, once the pages answer, where they are and how to come in."""
    if not wait_until_ready(url):
        return
    lines = [
        f"URL: {url}/",
        f"Sign-in: {EMAIL} / {state['password']}",
        f"API key: {state['api_key']}",
        f"Write key: {state['write_key']}",
        f"Shop: {url}/demo/shop",
        f"Mailbox: {url}/demo/mailbox",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def announce_later(state: State, *, url: str) -> None:
    """Announce from a thread of its own: the supervisor needs this one."""
    threading.Thread(target=announce, args=(state,), kwargs={"url": url}, daemon=True).start()
