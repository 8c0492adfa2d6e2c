from gauntlet.orchestration.component import Caching, component


@component(image="data", caching=Caching.RESOLVING)
def resolve_source(sources: list, parameter: str = "sources") -> list:
    """Resolve sources to pinned, immutable file versions.

    A file is pinned by the SHA-256 of its content, an object in a bucket by its generation. import_snapshot reads these
    versions, also when it is run again later.

    Args:
        sources: List of {"uri": "gs://bucket/object", a path, a folder or a pattern, "split": optional name of the
            split of all its rows, "table": optional name of its reference table}.
        parameter: Name of the pipeline's parameter that holds them, for messages.

    Returns:
        One {"uri", "version", "size", "split", "table"} for each file, sorted by URI.
    """
    from gauntlet.data.source import resolve

    return [pinned.to_json() for pinned in resolve(sources, parameter)]
