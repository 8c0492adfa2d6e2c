"""A model behind HTTP: what it accepts, what it answers, and how much it bears.

The server (docs/serving.md), from the folder of a model to a process:

    contract     what a model takes, and requests held against it      values   of which types, strictly
    protocol_v1, protocol_v2, answer    KServe's two protocols         errors   refusals that quote nothing
    direct, scorers    scoring our own models without frames, and anybody's through pyfunc
    loading      copied, verified, loaded, proven by a prediction
    service      bytes in, bytes out; no server yet                    metrics  what Prometheus reads
    front        predictions answered before the framework         server   the process

An open-loop load (docs/load.md), each step one module:

    arrivals      when each request is meant to go out, drawn beforehand
    load          what is asked for, and ``run``
    dispatch      which request is where: the bookkeeping of a run, without network or clock
    engine        the connections of a run
    timing        exact timers, and a collector that rests
    measured      latencies from the intended start, errors by kind, and whether the run may be believed
    saturation    the highest rate a target keeps
"""
