"""Hands what one thread sees to another one, without ever holding up the first."""

import threading
from collections import deque
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

LOOK_SECONDS: Final = 0.25  # the longest time after which whoever waits sees that it has to stop
_MOST: Final = 4_096


class Feed(Generic[Item]):
    """A queue with an end and a limit: where items are not taken in time all are dropped, and `lost` tells so."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._lost = False

    def put(self, item: Item) -> None:
        """Add an item. Never waits."""
        with self._changed:
            if len(self._items) >= self._most:
                self._items.clear()
                self._lost = True
            self._items.append(item)
            self._changed.notify()

    def close(self) -> None:
        """Say that no more items will come."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self, seconds: float = LOOK_SECONDS) -> Item | None:
        """Take the oldest item; None where none has come in this time, or none will."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, seconds)
            return self._items.popleft() if self._items else None

    def lost(self) -> bool:
        """Tell, once, whether items were dropped. What is taken after that came later than they."""
        with self._changed:
            lost, self._lost = self._lost, False
            return lost

    @property
    def over(self) -> bool:
        """Nothing is left, and nothing will come."""
        with self._changed:
            return self._closed and not self._items
