"""A web shop whose orders never give their connection back to SQLAlchemy's pool."""

import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from time import sleep
from urllib.request import urlopen

from sqlalchemy import Connection, QueuePool, create_engine, text

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [%(threadName)s] %(name)s - %(message)s")
log = logging.getLogger("shop")
engine = create_engine("sqlite:////tmp/shop.db", poolclass=QueuePool, pool_size=5, max_overflow=10, pool_timeout=1)
open_orders: list[Connection] = []
well = Event()


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            connection = engine.connect()
            connection.execute(text("select 1"))
            if self.path == "/orders":
                open_orders.append(connection)
            else:
                connection.close()
                well.set()
            self.send_response(200)
        except Exception:
            log.exception("GET %s", self.path)
            self.send_response(500)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        log.info(format, *args)


server = ThreadingHTTPServer(("", 8000), Shop)
Thread(target=server.serve_forever, name="server").start()
log.info("listening on port 8000")
well.wait()
for _ in range(16):
    try:
        urlopen("http://127.0.0.1:8000/orders").read()
    except OSError as error:
        log.info("a customer gave up: %s", error)
    sleep(0.05)
