"""The host of a local service (``python -m gauntlet.delivery.targets.local.server.host FOLDER``), in the serving image.

host              the process, one a folder
reconciler        makes the service what the document asks for
processes         one process a version: started, watched, drained
router            requests to versions; weights: which version gets a request
mirror            copies of requests for a version under test; comparison: whether two answers agree
http_server       HTTP/1.1 for callers; http_client: to the model servers
metrics           the Prometheus series of router and mirror
admin             the host's second port
"""
