"""The target of the rigs: a small program that does what the files in its control folder tell it.

usage: python tiny_target.py CONTROL_FOLDER [HEALTH_PORT [RELEASE]]

Standard library only and in one file, so that it also runs in a bare container with the folder mounted. A rig writes a
file (under another name, then renamed) and the program takes it away when it has obeyed:

    say        prints "said:", a space and the content
    grow       takes as many bytes as the content says, and keeps them
    burn       uses as much CPU as it gets
    deaf       ignores SIGTERM from now on
    crash      ends at once with the exit code that the content says
    unhealthy  stays, and as long as it is there the health check fails (the file itself can be the check)

What was left in the folder is removed at the start. With HEALTH_PORT, `GET /` answers 200 or 503.
Every start adds a line to the file `starts` of the folder: "alone", or "beside another" where a copy is running. That
comes after "ready", and from then on it obeys.
"""

import fcntl
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMANDS = ("say", "grow", "burn", "deaf", "crash", "unhealthy")
folder = Path(sys.argv[1])
kept = []


def burn():
    while True:
        sum(range(10_000))


def grow(size):
    block = bytearray(size)
    block[::4096] = b"x" * len(range(0, size, 4096))  # untouched pages take no memory
    kept.append(block)


def obey(command, content):
    if command == "say":
        print("said:", content, flush=True)
    elif command == "grow":
        grow(int(content))
    elif command == "burn":
        threading.Thread(target=burn, daemon=True).start()
    elif command == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif command == "crash":
        os._exit(int(content))


class Check(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if (folder / "unhealthy").exists() else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Be quiet: what is printed is what the tests look for."""


def sign_in():
    """Tell that the program has been started, and hold the lock that tells a second copy of the first one."""
    lock = (folder / "lock").open("w")
    kept.append(lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = "alone"
    except BlockingIOError:
        found = "beside another"
    with (folder / "starts").open("a", encoding="utf-8") as starts:
        starts.write(f"{found}\n")


def main():
    for command in COMMANDS:
        (folder / command).unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if len(sys.argv) > 2:
        server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Check)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sign_in()
    while True:
        for command in COMMANDS[:-1]:
            file = folder / command
            if file.exists():
                content = file.read_text(encoding="utf-8")
                obey(command, content)
                file.unlink()
        time.sleep(0.02)


if __name__ == "__main__":
    main()
