"""Real model servers behind a weighted, mirroring router on loopback: a whole service in one process and a folder.

What is asked, without network or clock:

    spec         the document that says which versions run and who gets the requests
    changes      every change a rollout makes to it
    splitting    which version a request goes to
    comparison   whether two answers to one request agree

The host (``python -m gauntlet.delivery.targets.local.host FOLDER``), in the environment that models are served in:

    host         the process, one a folder           running   keeps the document and makes it so
    servers      one process a version: started, watched, drained        leash   none of them outlives the host
    router       requests to versions        wire, upstream   HTTP/1.1 on both sides of it
    mirroring    copies of requests for a version that answers nobody    tally   what is counted
    admin        the host's second port

What a rollout is carried out with, from any environment:

    client, target, place, ledger, lease, meter, mirror, opening
"""
