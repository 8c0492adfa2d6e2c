"""Shadow deployments: the candidate answers mirrored requests before it receives live traffic.

gate     decides from mirrored requests whether a candidate may receive live traffic; pure
runner   deploys the candidate, mirrors traffic, stops when the verdict stands or time is up
"""
