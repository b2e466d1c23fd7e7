"""Servers that speak the protocols of the clouds, each behind a line that a test can cut."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote

import boto3
import jwt
import urllib3
from azure.storage.blob import ContainerClient
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from gcp_storage_emulator.server import create_server
from moto.server import ThreadedMotoServer

from tests.support import azurite
from tests.support.installation import free_port, until

BUCKET = "claims"
# Of the request for a token; the address of the server may be another one.
AUDIENCE = "https://oauth2.googleapis.com/token"
LOCAL = "127.0.0.1"


class Line:
    """Forwards connections from a port of its own to the port of a server, until it is cut."""

    def __init__(self, server_port: int) -> None:
        self.server_port, self.port = server_port, free_port()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        # Bytes of answers that still pass before the line breaks; None: any number.
        self._left: int | None = None
        self.restore()

    def restore(self) -> None:
        self._left = None
        self._listener = socket.create_server((LOCAL, self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """End all connections; new ones are refused."""
        with contextlib.suppress(OSError):
            # Wakes the thread that waits in accept().
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def cut_after(self, answered: int) -> None:
        """Cut once `answered` bytes of answers have passed."""
        self._left = answered

    @contextlib.contextmanager
    def lost(self, *, after: int = 0) -> Iterator[None]:
        if after:
            self.cut_after(after)
        else:
            self.cut()
        try:
            yield
        finally:
            if after:
                self.cut()
            self.restore()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection((LOCAL, self.server_port))
            with self._lock:
                self._open |= {near, far}
            for source, target, is_answer in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._forward, args=(source, target, is_answer), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_answer and self._left is not None:
                    data = data[: self._left]
                    self._left -= len(data)
                target.sendall(data)
                if self._left == 0:
                    self.cut()
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self._lock:
            if source in self._open and target in self._open:
                self._open -= {source, target}
                return
        source.close()
        target.close()


@dataclass
class Cloud:
    """`url`, `wrong_url`: STORAGE_URL, and the same with another key. `objects`: the names of all stored objects."""

    line: Line
    url: str
    wrong_url: str
    objects: Callable[[], list[str]]


@contextlib.contextmanager
def s3() -> Iterator[Cloud]:
    """moto, which checks the signature of every request."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    settings = {"region_name": "eu-west-3", "endpoint_url": address}
    admin = {"aws_access_key_id": "admin", "aws_secret_access_key": "admin"}
    iam = boto3.client("iam", **settings, **admin)
    iam.create_user(UserName="concord")
    rights = {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}
    iam.put_user_policy(
        UserName="concord",
        PolicyName="files",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [rights]}),
    )
    made = iam.create_access_key(UserName="concord")["AccessKey"]
    key, secret = made["AccessKeyId"], made["SecretAccessKey"]
    client = boto3.client("s3", **settings, aws_access_key_id=key, aws_secret_access_key=secret)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    urllib3.request("POST", f"{address}/moto-api/reset-auth", body="0")
    line = Line(port)

    def url(secret: str) -> str:
        return f"s3://{key}:{quote(secret, safe='')}@{LOCAL}:{line.port}/{BUCKET}?region=eu-west-3&tls=0"

    try:
        yield Cloud(
            line,
            url(secret),
            url("another"),
            lambda: [one["Key"] for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])],
        )
    finally:
        line.cut()
        # Both belong to the whole process.
        urllib3.request("POST", f"{address}/moto-api/reset-auth", body="inf")
        urllib3.request("POST", f"{address}/moto-api/reset")
        server.stop()


@contextlib.contextmanager
def google(folder: Path) -> Iterator[Cloud]:
    """The emulator of Google Cloud Storage, which accepts any token; the server that gives tokens checks the key."""
    storage = create_server(LOCAL, free_port(), in_memory=True, default_bucket=BUCKET)
    storage.start()
    right, wrong = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    tokens = _TokenServer(right)
    line = Line(storage._api._port)

    def url(name: str, key: rsa.RSAPrivateKey) -> str:
        path = folder / f"{name}.json"
        path.write_text(
            json.dumps(
                {
                    "type": "service_account",
                    "client_email": "concord@example.org",
                    "token_uri": tokens.address,
                    "private_key": key.private_bytes(
                        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                    ).decode(),
                }
            )
        )
        return f"gs://{BUCKET}?key_file={quote(str(path))}&endpoint=http://{LOCAL}:{line.port}"

    def objects() -> list[str]:
        listed = urllib3.request("GET", f"http://{LOCAL}:{line.server_port}/storage/v1/b/{BUCKET}/o").json()
        return [one["name"] for one in listed.get("items", [])]

    try:
        yield Cloud(line, url("right", right), url("wrong", wrong), objects)
    finally:
        line.cut()
        tokens.close()
        storage.stop()


class _TokenServer:
    """Gives a token for a request that is signed with the key, as Google's server does."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        public = key.public_key()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                try:
                    jwt.decode(form["assertion"][0], public, algorithms=["RS256"], audience=AUDIENCE)
                except jwt.InvalidTokenError:
                    status, body = 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
                else:
                    status, body = 200, {"access_token": "token", "expires_in": 3600, "token_type": "Bearer"}
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_facts: object) -> None:
                """No output."""

        self._server = ThreadingHTTPServer((LOCAL, 0), Handler)
        self.address = f"http://{LOCAL}:{self._server.server_port}/token"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def azure(folder: Path) -> Iterator[Cloud]:
    """Azurite, which checks the signature of every request."""
    program = azurite.program()
    assert program is not None, "sh scripts/azurite.sh installs Azurite"
    port, key, other = free_port(), *(b64encode(secrets.token_bytes(64)).decode() for _ in range(2))
    with (folder / "azurite.log").open("wb") as log:
        process = subprocess.Popen(
            ["node", str(program), "--blobHost", LOCAL, "--blobPort", str(port), "--inMemoryPersistence", "--silent",
             "--disableTelemetry", "--skipApiVersionCheck"],
            env=os.environ | {"AZURITE_ACCOUNTS": f"concord:{key}"}, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip

    def is_listening() -> bool:
        assert process.poll() is None, (folder / "azurite.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex((LOCAL, port)) == 0

    try:
        until(is_listening, seconds=60, name="Azurite")
        container = ContainerClient(
            f"http://{LOCAL}:{port}/concord", BUCKET, credential={"account_name": "concord", "account_key": key}
        )
        container.create_container()
        line = Line(port)

        def url(key: str) -> str:
            return f"azure://concord:{quote(key, safe='')}@{LOCAL}:{line.port}/{BUCKET}?tls=0"

        with container:
            yield Cloud(line, url(key), url(other), lambda: [one.name for one in container.list_blobs()])
        line.cut()
    finally:
        process.kill()
        process.wait()
