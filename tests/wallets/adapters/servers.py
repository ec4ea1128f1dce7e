"""What the small servers of all gateways share: one thread on the loopback that can also hang, cut and fail."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Service(ThreadingHTTPServer):
    """A server of one protocol; ``answer(method, path, headers, body)`` gives a status, headers and bytes.

    ``trouble`` is what happens to the requests whose path has ``where`` in it: a status; "hang"; "cut", which is closed
    without an answer; "garbage". With ``late`` the request is carried out before the trouble.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.requests = []
        self.trouble = None
        self.where = ""
        self.late = False
        self.goes_on = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.goes_on.set()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def in_trouble(self, path):
        return self.trouble is not None and self.where in path


class Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answered(self):
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.requests.append((self.command, self.path, dict(self.headers), body))
        troubled = server.in_trouble(self.path)
        if not troubled or server.late:
            status, headers, content = server.answer(self.command, self.path, self.headers, body)
        if troubled:
            match server.trouble:
                case "hang":
                    server.goes_on.wait(10)
                    self.close_connection = True
                    return
                case "cut":
                    self.close_connection = True
                    return
                case "garbage":
                    status, headers, content = 200, {"Content-Type": "application/json"}, b"<html>no</html>"
                case int():
                    status, headers, content = server.trouble, {"Content-Type": "text/plain"}, b"trouble"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answered  # noqa: N815 - the base class's names

    def log_message(self, *_):
        pass
