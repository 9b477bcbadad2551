"""Asks the stock service over HTTP, and waits for half a second at most."""

import logging
import time
from urllib.request import urlopen

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
while True:
    try:
        logging.info("prices: %s", urlopen("http://stock:7000/prices", timeout=0.5).read())
    except OSError:
        logging.exception("prices are not known")
    time.sleep(0.1)
