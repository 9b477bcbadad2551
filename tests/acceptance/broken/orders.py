"""Sends every order to another service: HOST PORT [TRIES]. Without TRIES it never gives up."""

import logging
import socket
import sys
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-8s %(name)s %(message)s")
log = logging.getLogger("orders")
host, port, tries = sys.argv[1], int(sys.argv[2]), int((*sys.argv, "0")[3])
failed = 0
while True:
    try:
        with socket.create_connection((host, port), timeout=2) as stock:
            stock.sendall(b"order\n")
            log.info("order sent")
    except OSError:
        failed += 1
        if failed == tries:
            raise
        log.exception("order not sent")
    time.sleep(0.3)
