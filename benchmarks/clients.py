"""Clients, each with one question at a time: the task as JSON on stdin, seconds of each question on stdout."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2


def ask(client: httpx2.Client, questions: list[tuple[str, dict[str, Any]]]) -> list[float]:
    times = []
    for address, body in questions:
        begun = time.perf_counter()
        answer = client.post(address, json=body)
        times.append(time.perf_counter() - begun)
        if answer.status_code != 200:
            raise SystemExit(answer.text)
    return times


def main() -> None:
    task = json.load(sys.stdin)
    clients, questions = task["clients"], task["questions"]
    headers = {"Authorization": f"Bearer {task['key']}"}
    with ThreadPoolExecutor(clients) as pool:
        each = [httpx2.Client(base_url=task["url"], headers=headers, timeout=60) for _ in range(clients)]
        shares = [questions[i::clients] for i in range(clients)]
        times = [seconds for found in pool.map(ask, each, shares) for seconds in found]
    json.dump(times, sys.stdout)


if __name__ == "__main__":
    main()
