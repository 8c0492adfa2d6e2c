from gauntlet.orchestration.component import Caching, component


@component(image="data", caching=Caching.RESOLVING)
def resolve_source(sources: list) -> list:
    """Pin the files that sources name to versions that never change.

    A file is pinned by the SHA-256 of its content, an object in a bucket by its generation. What this returns is what
    `import_snapshot` reads, now or in a year.

    Args:
        sources: List of {"uri": "gs://bucket/object", a path, a folder or a pattern, "split": optional name of the
            split all its rows belong to, "table": optional name of the reference table it is a part of}.

    Returns:
        One {"uri", "version", "size", "split", "table"} for each file, sorted by URI.
    """
    from gauntlet.data.source import resolve

    return [pinned.to_json() for pinned in resolve(sources)]
