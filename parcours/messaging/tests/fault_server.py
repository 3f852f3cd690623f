"""An SMTP server that misbehaves as it is told, on a real socket."""

from __future__ import annotations

import re
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: What to do at a stage, given the recipient: None to go on as usual, a reply line, or one of these.
DROP = "drop"
HANG = "hang"
GARBAGE = "garbage"
Behave = Callable[[str, str], str | None]


@dataclass
class Taken:
    """What the server took: (recipient, content), each time that it answered 250 to a final dot, or dropped after."""

    mails: list[tuple[str, bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


class FaultServer:
    """`behave(stage, recipient)` is asked at: banner, ehlo, mail, rcpt, data, dot (the content has come), accepted."""

    def __init__(self, behave: Behave, *, extensions: tuple[str, ...] = ("8BITMIME",)) -> None:
        taken = self.taken = Taken()
        stopping = self._stopping = threading.Event()

        class Session(socketserver.StreamRequestHandler):
            def say(self, line: str) -> None:
                self.wfile.write(line.encode() + b"\r\n")

            def at(self, stage: str, recipient: str, usual: str) -> bool:
                """Answer a stage; False when the session is over."""
                return self.act(behave(stage, recipient), usual)

            def act(self, what: str | None, usual: str) -> bool:
                if what == DROP:
                    return False
                if what == HANG:
                    while not stopping.is_set():
                        time.sleep(0.02)
                    return False
                self.say("\x00\xff nonsense" if what == GARBAGE else what or usual)
                return not (what or "").startswith("421")

            def handle(self) -> None:
                recipient = ""
                if not self.at("banner", "", "220 fault.example"):
                    return
                while line := self.rfile.readline():
                    command = line.decode("utf-8", "replace").rstrip("\r\n")
                    taken.commands.append(command)
                    verb = command[:4].upper()
                    if verb == "QUIT":
                        self.say("221 bye")
                        return
                    if verb in ("EHLO", "HELO"):
                        shown = ["fault.example", *extensions]
                        lines = [f"250{' ' if one is shown[-1] else '-'}{one}" for one in shown]
                        if not self.at("ehlo", "", "\r\n".join(lines)):
                            return
                    elif verb == "MAIL":
                        if not self.at("mail", "", "250 ok"):
                            return
                    elif verb == "RCPT":
                        found = re.search(r"<(.*)>", command)
                        recipient = found[1] if found else ""
                        if not self.at("rcpt", recipient, "250 ok"):
                            return
                    elif verb == "DATA":
                        what = behave("data", recipient)
                        if not self.act(what, "354 go on") or (what is None and not self.content(recipient)):
                            return
                    else:
                        self.say("250 ok")

            def content(self, recipient: str) -> bool:
                body = b""
                while True:
                    line = self.rfile.readline()
                    if not line:
                        return False
                    if line == b".\r\n":
                        break
                    body += line
                refusal = behave("dot", recipient)
                if refusal is not None:
                    return self.act(refusal, "")
                taken.mails.append((recipient, body))
                return self.at("accepted", recipient, "250 2.0.0 ok")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Session)
        self.port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def __enter__(self) -> FaultServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
