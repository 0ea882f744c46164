"""A server that kills itself, as hard as can be, at a named step of an answer. For tests only."""

from __future__ import annotations

import os
import signal
import sys

import uvicorn

from privacy_api.app import create_app
from privacy_api.bootstrap import open_services
from privacy_api.gate import Gate
from privacy_api.settings import load_settings


def main(port: int, at: str) -> None:
    def step(name: str) -> None:
        if name == at:
            os.kill(os.getpid(), signal.SIGKILL)

    services = open_services(load_settings(), step=step)
    uvicorn.run(create_app(services, Gate(2, 8)), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
