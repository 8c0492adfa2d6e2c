"""Acceptance tests of a model server that runs somewhere: what ``check_serving`` does before anybody is served.

Nothing here loads a model. Requests are made from the model's signature and from rows of its snapshot, answers are held
against the API of docs/serving.md and against the predictions that ``batch_predict`` wrote.

    policy       what is asked and how much: ``ServingPolicy``
    address      a URL, and whether it may be put under load       client      one request, one reply
    bodies       rows of a snapshot as requests of both protocols, answers as scores
    case, cases, refusals       the API contract as a table of requests
    answers      what is wrong with a reply
    conformance  the table sent, and good requests between bad ones
    sampling, parity            which rows, and served scores against offline ones
    quantiles, latency          an open-loop run, its quantiles with intervals, and the rate at which it ends
    footprint    memory, processor and cold start, from the server's own /metrics
    gate         everything in its order, and the verdict
"""
