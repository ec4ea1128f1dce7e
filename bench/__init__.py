"""How fast the ledger is, beside pgbench and peers in the same run; started by ``./script/bench``.

What stands in ``bench.work`` and ``bench.peers`` runs in worker processes, which alone have Django; all else runs in
the process that starts them.
"""
