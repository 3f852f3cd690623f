"""What an iterator makes, made in a thread of its own while whoever takes it is busy with what came before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from contextlib import closing, suppress
from types import TracebackType
from typing import Generic, Self, TypeVar

_T = TypeVar("_T")
_STOPPING_SECONDS = 0.05


class Ahead(Generic[_T]):
    """Runs a generator in a thread, `most` items ahead at most. The thread ends with the block.

    The generator must not use the database: the connections of the thread would stay open.
    """

    def __init__(self, items: Generator[_T], *, most: int) -> None:
        self._items = items
        self._ready: queue.Queue[_T | None] = queue.Queue(most)  # None: there are no more
        self._error: BaseException | None = None
        self._ended = False
        self._unwanted = False
        self._thread = threading.Thread(target=self._make, name="ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unwanted = True
        while self._thread.is_alive():  # It may be waiting for room.
            with suppress(queue.Empty):
                self._ready.get(timeout=_STOPPING_SECONDS)
        self._thread.join()

    def _make(self) -> None:
        try:
            with closing(self._items):
                for item in self._items:
                    self._ready.put(item)
                    if self._unwanted:
                        break
        except BaseException as error:  # Raised again where the items are taken.
            self._error = error
        self._ready.put(None)

    def next(self, *, wait: bool = True) -> _T | None:
        """The next item; None when there are no more, or, unless it may `wait`, none is ready.

        Raises, if it may wait, what the generator raised.
        """
        if not self._ended:
            try:
                item = self._ready.get(block=wait)
            except queue.Empty:
                return None
            if item is not None:
                return item
            self._ended = True
        if wait and self._error is not None:
            raise self._error
        return None
