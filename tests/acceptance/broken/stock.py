"""A stock service for its clients' troubles: `once` answers a connection once and closes it, `never` answers none."""

import socket
import sys

listener = socket.create_server(("", 7000))
print("listening")
kept = []
while True:
    client, _ = listener.accept()
    if sys.argv[1] == "never":
        kept.append(client)
    else:
        client.recv(100)
        client.sendall(b"3\n")
        client.close()
