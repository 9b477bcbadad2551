"""The payment gateway. Its fault: the configured address is one where nothing listens."""

import logging
import socket

TIMEOUT_SECONDS = 2.0

log = logging.getLogger(__name__)


class PaymentGateway:
    """Asked for open payments by /orders. While active, `percent` of the calls go to a dead address."""

    def __init__(self) -> None:
        self._percent = 0.0
        self._due = 0.0
        self._dead_end: socket.socket | None = None

    @property
    def active(self) -> bool:
        return self._dead_end is not None

    def start(self, percent: float) -> bool:
        if self.active:
            return False
        self._percent = percent
        self._dead_end = socket.socket()
        self._dead_end.bind(("127.0.0.1", 0))  # bound, so that nobody else takes the port, but nobody listens
        log.info("payment gateway address changed to 127.0.0.1:%d", self._dead_end.getsockname()[1])
        return True

    def stop(self) -> None:
        if self._dead_end is not None:
            self._dead_end.close()
        self._dead_end = None

    def check(self) -> None:
        """Opens a connection to the gateway where one is configured; raises OSError."""
        dead_end = self._dead_end
        if dead_end is None:  # payments are settled in batches, no gateway is asked
            return
        self._due += self._percent / 100
        if self._due < 1:
            return
        self._due -= 1
        address = dead_end.getsockname()
        try:
            socket.create_connection(address, TIMEOUT_SECONDS).close()
        except OSError as error:
            error.add_note(f"payment gateway {address[0]}:{address[1]} cannot be reached")
            raise
