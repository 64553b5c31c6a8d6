"""Our server and its peers, side by side in one run: `bin/bench`.

Belongs here: what is measured (`cases`), who is measured (`servers`, `peers/`), how (`load`, `mixed`, `cpu`, `rounds`)
and how it is told (`report`, `chart`, `document`). The numbers are ratios of CPU time per answered request, taken in one
run on one machine: seconds and requests per second change with the neighbours, these ratios hardly do (ADR 0040).

Does not belong here: anything that the server or the deployment needs. Nothing imports this package; it may import
`toolchain` and `serving.protos`. Load goes to 127.0.0.1 alone and is bounded in time and in count.
"""
