#!/usr/bin/env python3
"""A small HTTPS server that speaks as much of HashiCorp Vault's API as key management needs.

It holds a KV store of version 2 in memory: a secret per key id, each with versions from 1 on.

  GET  /v1/MOUNT/data/ID[?version=N]       a key; the newest without a version
  PUT  /v1/MOUNT/data/ID                   {"data": {"data": HEX}}: a new version (POST: the same)
  DELETE /v1/MOUNT/data/ID?version=N       marks a version as deleted
  GET  /v1/sys/internal/ui/mounts/MOUNT    that it is a KV store of version 2
  GET  /v1/sys/mounts/MOUNT/tune           the same

All need the header X-Vault-Token. For tests of failures, without a token:

  PUT  /control   {"status": 503, "count": 2, "body": "...", "delay_s": 1}: what the next requests
                  get instead of an answer; count -1: all of them; count 0: answers as ever

The preset is {"ID": ["HEX of version 1", "HEX of version 2"], ...}. A certificate for 127.0.0.1
(not for the name localhost) and the authority that signed it are made in --certificate-dir if they
are not there: ca.pem is what a client has to trust.

The port file is written when the server answers. It ends with SIGTERM, or with its standard input
if --end-with-stdin is given.
"""

import argparse
import http.server
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

EXTENSIONS = """
subjectAltName = IP:127.0.0.1
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
"""


def make_certificate(directory):
    """ca.pem, ca.key, server.pem and server.key, unless they are there."""
    os.makedirs(directory, exist_ok=True)
    path = lambda name: os.path.join(directory, name)
    if os.path.exists(path("server.pem")):
        return

    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
            "-subj", "/CN=hbk test authority", "-addext", "basicConstraints=critical,CA:TRUE",
            "-keyout", path("ca.key"), "-out", path("ca.pem"))
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=hbk test vault",
            "-keyout", path("server.key"), "-out", path("server.csr"))
    with open(path("server.ext"), "w") as extensions:
        extensions.write(EXTENSIONS)
    openssl("x509", "-req", "-in", path("server.csr"), "-CA", path("ca.pem"),
            "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "30",
            "-extfile", path("server.ext"), "-out", path("server.pem"))


class Store:
    """Keys by id: a list of versions, None for a deleted one."""

    def __init__(self, preset):
        self.lock = threading.Lock()
        self.keys = {str(name): list(versions) for name, versions in preset.items()}
        self.fault = {"count": 0}

    def get(self, name, version):
        """(version, hex or None), or None if there is no such version."""
        with self.lock:
            versions = self.keys.get(name, [])
            version = version or len(versions)
            if not 1 <= version <= len(versions):
                return None
            return version, versions[version - 1]

    def put(self, name, digits):
        with self.lock:
            self.keys.setdefault(name, []).append(digits)
            return len(self.keys[name])

    def delete(self, name, version):
        with self.lock:
            versions = self.keys.get(name, [])
            if 1 <= version <= len(versions):
                versions[version - 1] = None

    def take_fault(self):
        with self.lock:
            count = self.fault.get("count", 0)
            if count == 0:
                return None
            self.fault["count"] = count - 1 if count > 0 else count
            return dict(self.fault)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = None
    token = ""
    mount = ""
    log = None

    def log_message(self, format, *words):
        if self.log:
            self.log.write(format % words + "\n")
            self.log.flush()

    def reply(self, status, document):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def read_json(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            return json.loads(body)
        except ValueError:
            return None

    def data(self, name, query):
        version = int(query.get("version", ["0"])[0])
        found = self.store.get(name, version)
        if found is None:
            return self.reply(404, {"errors": []})
        version, digits = found
        metadata = {"version": version, "created_time": "2026-01-01T00:00:00.0Z",
                    "deletion_time": "" if digits else "2026-01-02T00:00:00.0Z",
                    "destroyed": False, "custom_metadata": None}
        data = {"data": digits} if digits else None
        self.reply(200 if digits else 404,
                   {"request_id": "0", "lease_id": "", "renewable": False, "lease_duration": 0,
                    "data": {"data": data, "metadata": metadata}, "warnings": None})

    def answer(self, method):
        address = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(address.query)
        document = self.read_json() if method == "PUT" else None
        if address.path == "/control":
            self.store.fault = document or {"count": 0}
            return self.reply(200, {})
        fault = self.store.take_fault()
        if fault:
            time.sleep(fault.get("delay_s", 0))
            return self.reply(fault.get("status", 500), fault.get("body", "{}").encode())
        if self.headers.get("X-Vault-Token") != self.token:
            return self.reply(403, {"errors": ["permission denied"]})
        if address.path in ("/v1/sys/internal/ui/mounts/" + self.mount,
                            "/v1/sys/mounts/" + self.mount + "/tune"):
            kind = {"type": "kv", "path": self.mount + "/", "options": {"version": "2"}}
            return self.reply(200, {"data": kind, **kind})
        name = re.fullmatch("/v1/" + re.escape(self.mount) + "/data/([^/]+)", address.path)
        if name is None:
            return self.reply(404, {"errors": ["no handler for route"]})
        if method == "GET":
            return self.data(name[1], query)
        if method == "DELETE":
            self.store.delete(name[1], int(query.get("version", ["0"])[0]))
            return self.reply(200, {})
        try:
            version = self.store.put(name[1], document["data"]["data"])
        except (KeyError, TypeError):
            return self.reply(400, {"errors": ["no data provided"]})
        return self.reply(200, {"data": {"version": version, "destroyed": False}})

    def do_GET(self):
        self.answer("GET")

    def do_PUT(self):
        self.answer("PUT")

    def do_POST(self):
        self.answer("PUT")

    def do_DELETE(self):
        self.answer("DELETE")


class Server(http.server.ThreadingHTTPServer):
    """A client that cuts its connection is no news."""

    def handle_error(self, request, client_address):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0: any")
    parser.add_argument("--port-file", help="where the port is written")
    parser.add_argument("--certificate-dir", required=True)
    parser.add_argument("--http", action="store_true", help="without TLS")
    parser.add_argument("--token", default="test-token")
    parser.add_argument("--mount", default="hbk")
    parser.add_argument("--keys", help="JSON file with the preset")
    parser.add_argument("--log-file", help="a line for each request, without tokens and keys")
    parser.add_argument("--end-with-stdin", action="store_true")
    arguments = parser.parse_args()

    preset = {}
    if arguments.keys:
        with open(arguments.keys) as file:
            preset = json.load(file)
    Handler.store = Store(preset)
    Handler.token = arguments.token
    Handler.mount = arguments.mount
    if arguments.log_file:
        Handler.log = open(arguments.log_file, "a")

    server = Server(("127.0.0.1", arguments.port), Handler)
    if not arguments.http:
        make_certificate(arguments.certificate_dir)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(arguments.certificate_dir, "server.pem"),
                                os.path.join(arguments.certificate_dir, "server.key"))
        # Shaking hands while accepting would let one idle client block all others.
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if arguments.end_with_stdin:
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    if arguments.port_file:
        with open(arguments.port_file + ".tmp", "w") as file:
            file.write(str(server.server_address[1]))
        os.rename(arguments.port_file + ".tmp", arguments.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
