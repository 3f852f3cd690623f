"""The sending loop: claims a window, keeps a few SMTP connections busy, commits what the server answered."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import time
from collections import deque
from dataclasses import replace

import structlog
import uvloop
from django.conf import settings

from parcours.lib import clock, leases
from parcours.lib.crashpoints import point
from parcours.lib.instants import to_ms
from parcours.messaging.mime import BadHeader, Mail, compose
from parcours.messaging.rendering.compiled import PartError, personalise, tracking
from parcours.messaging.sending import attempts, claims, outcomes
from parcours.messaging.sending.attempts import ACCEPTED, BEGUN, DEFERRED, REFUSED, AttemptLog
from parcours.messaging.sending.claims import Claim
from parcours.messaging.sending.outcomes import Result
from parcours.messaging.sending.sweep import sweep
from parcours.messaging.sending.transport import Connection, Fate, NotReady, Outcome, Server

log = structlog.get_logger(__name__)

WINDOW = 400
_SLICE_SECONDS = 0.3
_STRAGGLER_SECONDS = 1.0
# Nothing is begun in the last third of a lease, which is renewed every quarter.
_LEASE_MARGIN_MS = leases.LEASE_MS // 3
_RENEW_SECONDS = leases.LEASE_MS / 4000
_LONGEST_PAUSE = 60.0
_MAILS_A_CONNECTION = 5_000

_KINDS = {Fate.ACCEPTED: ACCEPTED, Fate.REFUSED: REFUSED}


class Sender:
    """What one process sends with: its connections, the claims that it holds, the answers not committed yet."""

    def __init__(
        self, server: Server, *, connections: int, timeout: float, worker: str | None = None
    ) -> None:
        self.server = server
        self.worker = worker or leases.me()
        self.attempts = AttemptLog(self.worker)
        self._connections = connections
        self._timeout = timeout
        self._loop = uvloop.new_event_loop()
        self._idle: list[Connection] = []
        self._pending: deque[Claim] = deque()
        self._held: dict[int, Claim] = {}
        self._results: list[Result] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._slice_ends = 0.0
        self._found_last = False
        self._next_sweep = 0.0
        self._next_renewal = 0.0
        self._pause = 0.0
        self._closed_until = 0.0

    def round(self) -> bool:
        """Do one slice of work; answers whether there was any."""
        moment = time.monotonic()
        if moment >= self._next_sweep:
            self._next_sweep = moment + leases.SWEEP_SECONDS
            sweep(worker=self.worker)
        self._top_up(moment)
        if not (self._pending or self._tasks or self._results):
            return False
        self._loop.run_until_complete(self._drive())
        self._commit()
        self._renew()
        return bool(self._pending or self._tasks) or self._found_last

    def _top_up(self, moment: float) -> None:
        if moment < self._closed_until or len(self._pending) > WINDOW // 4:
            return
        found = claims.claim(worker=self.worker, limit=WINDOW, now=clock.now())
        self._found_last = bool(found)
        self._pending.extend(found)
        self._held.update((one.send, one) for one in found)

    async def _drive(self) -> None:
        """Let the connections work for one slice; a server that keeps one waiting holds up nobody else."""
        moment = time.monotonic()
        self._slice_ends = moment + _SLICE_SECONDS
        free = self._connections - len(self._tasks)
        if moment >= self._closed_until:
            for _ in range(min(free, len(self._pending))):
                self._tasks.add(asyncio.create_task(self._work()))
        if self._tasks:
            done, self._tasks = await asyncio.wait(self._tasks, timeout=_SLICE_SECONDS + _STRAGGLER_SECONDS)
            for task in done:
                task.result()

    async def _work(self) -> None:
        """One connection's work during a slice."""
        connection = self._idle.pop() if self._idle else Connection(self.server, timeout=self._timeout)
        try:
            while self._pending and time.monotonic() < self._slice_ends:
                if not connection.ready and not await self._open(connection):
                    return
                if not self._pending:  # Others emptied it while this one connected.
                    break
                claim = self._pending.popleft()
                outcome = await self._one(connection, claim)
                if outcome.fate is Fate.UNTRIED and not await self._again(connection, claim, outcome):
                    return
                if connection.used >= _MAILS_A_CONNECTION:
                    await connection.quit()
        finally:
            if connection.ready:
                self._idle.append(connection)

    async def _open(self, connection: Connection) -> bool:
        try:
            await connection.open()
        except NotReady as error:
            self._close_gate(str(error))
            return False
        return True

    async def _again(self, connection: Connection, claim: Claim, outcome: Outcome) -> bool:
        """A kept connection was closed before this mail began: once more on a new one, else all wait."""
        if outcome.code == 0 and await self._open(connection):
            outcome = await self._one(connection, claim)
        if outcome.fate is not Fate.UNTRIED:
            return True
        self._close_gate(f"{outcome.code} {outcome.text}")
        self._record(claim, outcome)
        return False

    def _close_gate(self, why: str) -> None:
        """The server takes nothing now: nothing is claimed for a while, and what is claimed is given back."""
        self._pause = min(_LONGEST_PAUSE, max(1.0, self._pause * 2))
        self._closed_until = time.monotonic() + self._pause
        log.warning("mail server not ready", server=self.server.host, why=why, next_try_in=self._pause)
        while self._pending:
            self._record(self._pending.popleft(), Outcome(Fate.UNTRIED, text=why))

    async def _one(self, connection: Connection, claim: Claim) -> Outcome:
        """One send over one connection; its outcome is recorded, unless it was not tried."""
        if claim.lease_until < clock.machine_ms() + _LEASE_MARGIN_MS:
            # This process was stopped for long: another may have taken the send up. Its fence says, at the commit.
            outcome = Outcome(Fate.UNTRIED, text="the lease ran out")
            self._record(claim, outcome)
            return Outcome(Fate.IMPOSSIBLE)
        try:
            mail = self._compose(connection, claim)
        except Exception as error:
            # One contact's data must not stop the others' mails, whatever it does to a template.
            if not isinstance(error, PartError | BadHeader):
                log.exception("a mail could not be written", send=claim.send)
            outcome = Outcome(Fate.IMPOSSIBLE, text=str(error))
            self._record(claim, outcome, skip="bad_message")
            return outcome
        self.attempts.write(BEGUN, claim.send, at=to_ms(clock.now()))
        point("sending.begun")
        try:
            outcome = await connection.send(mail)
        except Exception as error:
            # Not a fault of the network: one of ours. How far the mail went is not known.
            log.exception("a mail could not be handed over", send=claim.send)
            connection.close()
            outcome = Outcome(Fate.UNKNOWN, text=f"{type(error).__name__}: {error}")
        if outcome.fate is Fate.UNTRIED:
            self.attempts.write(DEFERRED, claim.send, at=to_ms(clock.now()))
            return outcome
        if outcome.fate is Fate.ACCEPTED:
            self._pause = 0.0
        kind = _KINDS.get(outcome.fate, BEGUN if outcome.fate is Fate.UNKNOWN else DEFERRED)
        at = to_ms(clock.now())
        code = -outcome.code if outcome.at_recipient else outcome.code
        self.attempts.write(kind, claim.send, at=at, code=code, text=outcome.text)
        point("sending.logged")
        impossible = outcome.fate is Fate.IMPOSSIBLE
        self._record(claim, outcome, skip="server_cannot" if impossible else "", at=at)
        return outcome

    def _compose(self, connection: Connection, claim: Claim) -> Mail:
        content = claim.content
        names = tracking(content.compiled, send=claim.send, links=content.links)
        mail = compose(
            personalise(content.compiled, claim.context, names),
            envelope=content.envelope,
            send=claim.send,
            recipient=claim.recipient,
            now=clock.now(),
            # A server on the way that does not take bytes above 127 rewrites the body, which would break the signature.
            eight_bit=connection.eight_bit and content.signer is None,
        )
        if content.signer is None:
            return mail
        return replace(mail, content=content.signer.sign(mail.content, at=clock.machine_ms() // 1000))

    def _record(self, claim: Claim, outcome: Outcome, *, skip: str = "", at: int | None = None) -> None:
        self._results.append(
            Result(
                send=claim.send,
                account=claim.account,
                message=claim.content.message.pk,
                contact=claim.contact,
                is_test=claim.is_test,
                journey=claim.journey,
                version=claim.version,
                enrolment=claim.enrolment,
                step=claim.step,
                visit=claim.visit,
                attempts=claim.attempts,
                fence=claim.fence,
                address=str(claim.recipient),
                at=to_ms(clock.now()) if at is None else at,
                outcome=outcome,
                skip=skip,
                business_unit=claim.content.message.business_unit_id,
                opens_tracked=claim.content.message.track_opens,
                clicks_tracked=claim.content.message.track_clicks,
            )
        )

    def _commit(self) -> None:
        results = self._results
        if not results:
            return
        outcomes.commit(results)
        self._results = []
        for result in results:
            self._held.pop(result.send, None)
        if not self._held:
            self.attempts.settled()

    def _renew(self) -> None:
        moment = time.monotonic()
        if moment < self._next_renewal or not self._held:
            return
        self._next_renewal = moment + _RENEW_SECONDS
        claims.renew(list(self._held.values()), worker=self.worker)

    def close(self, *, seconds: float = 5.0) -> None:
        """Finish what is under way, give the rest back, take leave of the server."""
        if self._loop.is_running() or self._loop.is_closed():
            return
        self._slice_ends = 0.0
        with contextlib.suppress(asyncio.TimeoutError):
            self._loop.run_until_complete(self._finish(seconds))
        while self._pending:
            self._record(self._pending.popleft(), Outcome(Fate.UNTRIED, text="stopping"))
        self._commit()
        self._loop.close()
        self.attempts.close()
        if not self._held:
            attempts.discard(self.worker)

    async def _finish(self, seconds: float) -> None:
        if self._tasks:
            _done, self._tasks = await asyncio.wait(self._tasks, timeout=seconds)
        for connection in self._idle:
            await connection.quit()


@functools.cache
def _of_process() -> Sender:
    """The sender of this process, which finishes what is under way when the process ends in peace."""
    sender = Sender(
        Server.of_url(settings.EMAIL_URL),
        connections=settings.EMAIL_CONNECTIONS,
        timeout=settings.EMAIL_TIMEOUT_SECONDS,
    )
    atexit.register(sender.close)
    return sender


def round() -> bool:
    """One round of this process's sending. Without PARCOURS_EMAIL_URL, sends wait in their queue."""
    return bool(settings.EMAIL_URL) and _of_process().round()
