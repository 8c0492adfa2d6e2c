"""Model server and load generator.

The model server (docs/serving.md):

    contract       input contract from the MLflow signature        values    strict parsing of JSON values
    protocol_v1, protocol_v2, answer    KServe's two protocols     errors    request errors without row data
    direct, scorers    Gauntlet's own models without DataFrames, any other model as a pyfunc
    dataframe      DataFrames for pyfuncs                          loading   copy, verify, load, warm up
    json_body      JSON within limits, every key once              service   request bytes to response bytes
    fast_path      ASGI fast path for predictions                  metrics, score_counts    Prometheus metrics
    connections    limits of connections, time and bytes           http_protocol    uvicorn's connections within them
    local_only     no web pages on loopback                        log_limit, memory    a bounded log; memory given back
    server         the process

The open-loop load generator (docs/load.md):

    arrivals       intended start of each request, drawn beforehand
    load           settings of a load, and ``run``
    dispatch       state of the requests of a run, without network or clock
    engine         connections (asyncio, httptools)
    timing         precise timers, garbage collection paused
    load_result    latencies from the intended start, errors by kind, validity of the run
    saturation     search for the highest sustainable rate
"""
