"""An open WebSocket through the proxy, and the origin behind it."""
from client import Client
from origin import Listener, ok


def open_tunnel(port):
    client = Client(port)
    client.send(b"GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n")
    assert client.response().status == 101
    return client


def tunnel_origin():
    """Answers 101 and echoes every octet; anything else normally."""
    def serve(connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        if b"upgrade: websocket" in head.lower():
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            connection.settimeout(None)   # a tunnel may be idle for as long as its test takes
            while data := connection.recv(65536):
                connection.sendall(data)
        else:
            connection.sendall(ok())

    return Listener(serve)
