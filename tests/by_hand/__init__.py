"""Checks against parts that this project's locks or machines cannot have, run by naming the file: `bin/test tests/by_hand/NAME.py`.

`docker_host` needs a Docker engine, which would fight with the cluster's containerd. `triton_client` needs NVIDIA's client, which wants an
older ml-dtypes than TensorFlow does: install it and what it needs with `pip install --no-deps --target DIR`, and put DIR on PYTHONPATH.
`ecosystem` needs the controllers of other projects (`bin/setup --controllers`), and `keda` there Debian's `prometheus`.
None counts as a skipped test: none can run where the others do.
"""
