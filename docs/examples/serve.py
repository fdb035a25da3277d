"""Answers GET /?user=ID&k=10 from what `rp.export` wrote, by NumPy and SciPy alone: python serve.py FOLDER [PORT]"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from scipy import sparse

folder, port = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8000
known, history = np.load(folder / "serving.npz"), sparse.load_npz(folder / "history.npz")
users, items, popularity, order, lost = (known[name] for name in ("users", "items", "popularity", "order", "lost"))
code = {str(user): row for row, user in enumerate(users.tolist())}
of = {file.stem: sparse.load_npz(file) if file.suffix == ".npz" else np.load(file) for file in folder.glob("arrays/*")}


def scores(user, mine):
    if not mine.nnz:
        return popularity.copy()
    if "user_factors" in of:
        found = of["user_factors"][[user]] @ of["item_factors"].T
    elif "item_item" in of:
        found = mine @ of["item_item"]
    else:
        found = mine @ of["item_embeddings"] @ of["item_embeddings"].T  # right for all items but those left out
    return (found.toarray() if sparse.issparse(found) else found)[0]


def recommend(user, k):
    mine = history[[user]]
    found = scores(user, mine)
    found[lost] = found[mine.indices] = -np.inf
    best = np.lexsort((order, -found))[:k]
    return items[best[found[best] > -np.inf]].tolist()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        user, k = asked.get("user"), asked.get("k", "10")
        known_user = user in code and k.isdecimal()
        answer = {"items": recommend(code[user], int(k))} if known_user else {"error": "user: one that is known; k"}
        self.send_response(200 if known_user else 400)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
