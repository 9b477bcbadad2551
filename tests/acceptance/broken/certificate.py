"""`serve` with the certificate, or `pay` over TLS at a server that has it."""

import logging
import ssl
import sys
import time
from http.server import HTTPServer, SimpleHTTPRequestHandler
from urllib.request import urlopen

CERTIFICATE, KEY = "/srv/certificates/certificate.pem", "/srv/certificates/key.pem"


def serve() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, KEY)
    server = HTTPServer(("", 8443), SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("listening")
    server.serve_forever()


def pay() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
    trusted = ssl.create_default_context(cafile=CERTIFICATE)
    while True:
        try:
            urlopen("https://gateway:8443/", context=trusted, timeout=5).read()
        except OSError:
            logging.exception("order 17 is not paid")
        time.sleep(0.3)


{"serve": serve, "pay": pay}[sys.argv[1]]()
