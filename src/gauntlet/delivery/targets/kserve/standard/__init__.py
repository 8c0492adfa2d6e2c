"""Standard mode: the candidate as an entry of ``spec.canary``, and an HTTPRoute that weighs both Services.

target   I/O; view: what is there; steps: what to change next; routes: weights of an HTTPRoute (all without I/O)
"""
