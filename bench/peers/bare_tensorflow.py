"""No server at all: what one core of this machine makes of the model at batch 32. Prints one JSON object."""

import json
import sys
import time
from pathlib import Path

import numpy as np
from tensorflow_call import load

BATCH = 32


def main() -> None:
    folder, bodies, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    model = load(folder)
    images = np.load(bodies)[:BATCH]
    for _ in range(10):
        model(images)
    calls, began, until = 0, time.process_time(), time.monotonic() + seconds
    while time.monotonic() < until:
        model(images)
        calls += 1
    cpu_seconds = time.process_time() - began
    print(json.dumps({"cpu_us": cpu_seconds / (calls * BATCH) * 1e6, "images": calls * BATCH}))


if __name__ == "__main__":
    main()
