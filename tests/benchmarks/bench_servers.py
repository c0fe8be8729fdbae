"""Each TCP model against the bare standard-library server that it is made of: 64-byte echoes per second.

    python -m tests.benchmarks.bench_servers [SECONDS]

Aim: within 10 %. Client and server are processes of their own; the two servers of a pair take turns.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

BARE = {
    "single": "class S(TCPServer): pass",
    "threading": "class S(ThreadingMixIn, TCPServer): daemon_threads = True; request_queue_size = 128",
    "forking": "class S(ForkingMixIn, TCPServer): max_children = 200; request_queue_size = 128",
    "pool": """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(8)
class S(TCPServer):
    request_queue_size = 128
    def process_request(self, request, address): pool.submit(self.work, request, address)
    def work(self, request, address):
        self.finish_request(request, address); self.shutdown_request(request)
""",
    "stream": """
class H(StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line)
class S(TCPServer): pass
""",
}

SOCKETSERVER = """
from socketserver import *
class H(BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(8192): self.request.sendall(data)
{body}
S.allow_reuse_address = True
with S(("127.0.0.1", 0), H) as server:
    print("listening on 127.0.0.1:%d" % server.server_address[1], flush=True)
    server.serve_forever()
"""

RAW = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    sock, _ = listener.accept()
    with sock:
        while data := sock.recv(8192): sock.sendall(data)
"""

ASYNCIO = """
import asyncio
async def echo(reader, writer):
    while data := await reader.read(8192):
        writer.write(data); await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    print("listening on 127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

CLIENT = """
import selectors, socket, sys, time
port, clients, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
chosen, count, block = selectors.DefaultSelector(), 0, b"x" * 63 + b"\\n"
for _ in range(clients):
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); s.setblocking(False); s.send(block)
    chosen.register(s, selectors.EVENT_READ)
ends = time.perf_counter() + seconds
while time.perf_counter() < ends:
    for key, _ in chosen.select(1):
        if key.fileobj.recv(8192): key.fileobj.send(block); count += 1
print(count / seconds)
"""

CLIENTS = {"single": 1, "raw": 1, "stream": 1, "pool": 8, "threading": 20, "forking": 20, "asyncio": 100}


def bare(model: str) -> list[str]:
    code = {"raw": RAW, "asyncio": ASYNCIO}.get(model) or SOCKETSERVER.format(body=BARE[model])
    return [sys.executable, "-c", code]


def rate(command: list[str], clients: int, seconds: float) -> float:
    """Echoes per second that this server gave."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = server.stdout.readline().rsplit(":", 1)[1].strip()
        client = [sys.executable, "-c", CLIENT, port, str(clients), str(seconds)]
        return float(subprocess.run(client, capture_output=True, text=True, check=True, timeout=60).stdout)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def main(seconds: float) -> None:
    print(f"{'model':12}{'clients':>8}{'bare /s':>10}{'netlab /s':>11}{'ratio':>8}   aim ≥ 0.90")
    for model, clients in CLIENTS.items():
        ours = [sys.executable, "-m", "netlab", "serve", "tcp", "--model", model, "--port", "0"]
        pairs = [(rate(bare(model), clients, seconds), rate(ours, clients, seconds)) for _ in range(5)]
        middle = statistics.median(o / b for b, o in pairs)
        first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{model:12}{clients:8}{first:10,.0f}{second:11,.0f}{middle:8.2f}", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)
