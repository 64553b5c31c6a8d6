"""Which runtime settings answer fastest, measured for one model on this machine.

No setting wins everywhere: one thread without oneDNN answers a small network several times sooner, and large convolutions several
times later. So `tune` measures, in the server's own words (`--backend_profile`, `--onednn`), and the manifest keeps what it found.
Does not belong here: changing the model.
"""

from model_export.tuning.choice import Tuning, tune

__all__ = ["Tuning", "tune"]
