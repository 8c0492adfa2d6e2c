"""Acceptance tests of a running model server, for ``check_serving``.

Nothing here loads a model. Requests are made from the model's signature and from rows of its snapshot; responses are
compared with the API of docs/serving.md and with the predictions of ``batch_predict``.

    policy       settings: ``ServingPolicy``
    address      a URL, and whether it may be put under load       client      one request, one reply
    bodies       rows of a snapshot as requests of both protocols, answers as scores
    case, cases, refusals       the API contract as a table of requests
    answers      validates a response
    conformance  sends the table, and good requests concurrent with bad ones
    sampling, parity            chooses rows, and compares served scores with offline ones
    quantiles, latency          an open-loop run, its quantiles with intervals, and the saturation search
    footprint    memory, processor and cold start, from the server's own /metrics
    gate         runs all tests in order, and makes the verdict
"""
