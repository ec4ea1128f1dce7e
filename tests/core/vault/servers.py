"""Small servers that speak the protocols of HashiCorp Vault and AWS KMS."""

import base64
import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "hvs.test-token"


class MasterKey:
    """What both services do with a key: AES-GCM with associated data, under a key that never leaves them."""

    def __init__(self):
        self.key = AESGCM.generate_key(256)

    def wrap(self, plain, bound):
        nonce = os.urandom(12)
        return nonce + AESGCM(self.key).encrypt(nonce, plain, bound)

    def unwrap(self, blob, bound):
        return AESGCM(self.key).decrypt(blob[:12], blob[12:], bound)


class Service(ThreadingHTTPServer):
    """A server of one protocol; ``answer(path, headers, body)`` gives a status and a JSON object."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.master = MasterKey()
        self.requests = []
        self.broken = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, self.headers.get("X-Amz-Target")))
        status, answer = self.server.broken or self.server.answer(self.path, self.headers, json.loads(body or b"{}"))
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST  # noqa: N815 - the base class's names

    def log_message(self, *_):
        pass


class Transit(Service):
    """HashiCorp Vault's transit engine and key-value store, version 2."""

    document = None

    def answer(self, path, headers, body):
        if headers["X-Vault-Token"] != TOKEN:
            return 403, {"errors": ["permission denied"]}
        bound = base64.b64decode(body.get("associated_data", ""))
        match path:
            case "/v1/secret/data/paymentsite/keys" if self.document:
                return 200, {"data": {"data": self.document, "metadata": {"version": 1}}}
            case "/v1/transit/encrypt/paymentsite":
                blob = self.master.wrap(base64.b64decode(body["plaintext"]), bound)
                return 200, {"data": {"ciphertext": f"vault:v1:{base64.b64encode(blob).decode()}"}}
            case "/v1/transit/decrypt/paymentsite":
                return self._decrypted(body["ciphertext"], bound)
        return 404, {"errors": []}

    def _decrypted(self, text, bound):
        try:
            plain = self.master.unwrap(base64.b64decode(text.removeprefix("vault:v1:")), bound)
        except (InvalidTag, ValueError):
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}


class Kms(Service):
    """AWS KMS, JSON 1.1, of which the signature's form is checked and the key known."""

    def answer(self, _, headers, body):
        scope = r"AKIATEST/\d{8}/eu-central-1/kms/aws4_request"
        signature = rf"AWS4-HMAC-SHA256 Credential={scope}, .*Signature=[0-9a-f]{{64}}"
        if not re.fullmatch(signature, headers["Authorization"]):
            return 400, {"__type": "IncompleteSignatureException"}
        if body["KeyId"] != "alias/paymentsite":
            return 400, {"__type": "NotFoundException", "message": "no such key"}
        bound = json.dumps(body["EncryptionContext"], sort_keys=True).encode()
        if headers["X-Amz-Target"] == "TrentService.Encrypt":
            blob = self.master.wrap(base64.b64decode(body["Plaintext"]), bound)
            return 200, {"CiphertextBlob": base64.b64encode(blob).decode(), "KeyId": body["KeyId"]}
        try:
            plain = self.master.unwrap(base64.b64decode(body["CiphertextBlob"]), bound)
        except (InvalidTag, ValueError):
            return 400, {"__type": "InvalidCiphertextException"}
        return 200, {"Plaintext": base64.b64encode(plain).decode(), "KeyId": body["KeyId"]}
