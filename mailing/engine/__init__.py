"""The delivery engine: from a mailing that falls due to a logged answer for every client.

    planner   opens a run once per occurrence   ─ audience freezes its deliveries and batches
    sender    leases a batch (leases), arms a few deliveries, renders them (letter), hands them to
              the mail server (transport), notes each answer (journal, then ledger)
    sweeper   takes over what a dead or fenced sender left, by the journal or as `unknown`
    suppressions   keep whom an owner must not mail, also by what the mail server says

Pure rules: classify (whose fault a reply is), retry (when to try again). Only `transport` touches
the network, only `ledger` changes a delivery's state, and nobody here reads the clock: `now` is an
argument. The invariants I1 to I7 are named where they are held; docs/architecture.md lists them.
"""
