"""A TCP proxy between a client and a server, whose link can be delayed, cut and reset."""

import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import addressof, create_string_buffer
from dataclasses import dataclass
from threading import Thread
from typing import Final

_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27
_CHUNK: Final = 65_536


@dataclass(eq=False, slots=True)
class _Pair:
    client: socket.socket
    server: socket.socket
    passes: bool = True


class Link:
    """What goes through ``port`` arrives at the server's, ``delay_seconds`` later."""

    def __init__(self, target: int) -> None:
        self.delay_seconds = 0.0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[_Pair] = []
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Nothing passes any more and nobody is told, as when a cable is cut: packets are not even acknowledged."""
        _go_deaf(self._listener)
        for pair in self._pairs:
            pair.passes = False
            _go_deaf(pair.client)

    def mend(self) -> None:
        """New connections pass again; those that were cut stay dead."""
        with contextlib.suppress(FileNotFoundError):  # it was never cut
            self._listener.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)

    def reset(self) -> None:
        """Both ends of every connection are told at once, as when what stands in between dies."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in (pair.client, pair.server):
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RD)  # wakes the thread that reads from it
                end.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reset()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                pair = _Pair(client, socket.create_connection(("127.0.0.1", self._target)))
                self._pairs.append(pair)
                for source, target in ((pair.client, pair.server), (pair.server, pair.client)):
                    target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    Thread(target=self._pump, args=(pair, source, target), daemon=True).start()

    def _pump(self, pair: _Pair, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK):
                time.sleep(self.delay_seconds)
                if pair.passes:
                    target.sendall(chunk)
        if pair.passes:
            for end in (source, target):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


@contextmanager
def link(target: int) -> Iterator[Link]:
    between = Link(target)
    try:
        yield between
    finally:
        between.close()


def _go_deaf(end: socket.socket) -> None:
    """Let the kernel drop whatever comes for ``end`` before it is acknowledged: a filter that lets nothing in."""
    program = create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0
    with contextlib.suppress(OSError):  # gone already
        end.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 1, addressof(program)))
