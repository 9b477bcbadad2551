"""Asks the stock service for its stock, over the connection that it opened when it started."""

import logging
import socket
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
stock = socket.create_connection(("stock", 7000))
while True:
    try:
        stock.sendall(b"how many?\n")
        logging.info("in stock: %s", stock.recv(100))
    except OSError:
        logging.exception("stock is not known")
    time.sleep(0.3)
