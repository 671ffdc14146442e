"""Serve an exported model over HTTP, with Python's standard library and jax or ONNX Runtime; seqvision is not needed.

python experiments/serving/server.py FOLDER --port 8000

GET / gives signature.json. POST / takes {"INPUT": rows, …}, a list of rows for each input of the signature, and gives
{"OUTPUT": rows, …}; what does not fit the signature is answered by 400 and {"error": …}.
"""

import argparse
import contextlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

LARGEST = 64 * 2**20  # bytes of a request


def load(folder):
    """Return a function of arrays in the order of the signature, and the signature."""
    folder = Path(folder)
    signature = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
    path = folder / signature["file"]
    if signature["format"] == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        names = [one["name"] for one in signature["inputs"]]
        return lambda *arrays: session.run(None, dict(zip(names, arrays, strict=True))), signature
    if signature["format"] == "stablehlo":
        import jax
        from jax import export

        return jax.jit(export.deserialize(bytearray(path.read_bytes())).call), signature
    raise SystemExit(f"{folder} holds {signature['format']}: export with --to onnx or --to stablehlo")


def answer(run, signature, request):
    """Return outputs by name for inputs by name; a ValueError says what does not fit."""
    arrays = []
    for one in signature["inputs"]:
        if not isinstance(request, dict) or one["name"] not in request:
            raise ValueError(f"no {one['name']!r}: send {one['name']} {one['shape']}, {one.get('meaning', '')}")
        array = np.asarray(request[one["name"]], one["dtype"])
        if len(array.shape) != len(one["shape"]) or any(
            isinstance(size, int) and size != got for size, got in zip(one["shape"], array.shape, strict=True)
        ):
            raise ValueError(f"{one['name']} must be {one['shape']}, got {list(array.shape)}")
        if not np.isfinite(array).all() or not len(array):
            raise ValueError(f"{one['name']} must hold finite numbers, at least one row")
        arrays.append(array)
    outputs = run(*arrays)
    return {one["name"]: np.asarray(y).tolist() for one, y in zip(signature["outputs"], outputs, strict=True)}


def make_server(folder, host="127.0.0.1", port=8000):
    run, signature = load(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply(200, signature)

        def do_POST(self):
            try:
                size = int(self.headers.get("Content-Length", 0))
                if not 0 < size <= LARGEST:
                    raise ValueError(f"send 1 to {LARGEST} bytes of JSON")
                self.reply(200, answer(run, signature, json.loads(self.rfile.read(size))))
            except (ValueError, TypeError, OverflowError) as error:
                self.reply(400, {"error": str(error)})

        def reply(self, code, value):
            content = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    return ThreadingHTTPServer((host, port), Handler)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="what seqvision export wrote")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    with make_server(given.folder, given.host, given.port) as server:
        print(f"http://{given.host}:{server.server_port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
