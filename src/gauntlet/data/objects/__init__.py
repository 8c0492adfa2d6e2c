"""Files as people name them, on this machine or in a bucket: found, pinned to a version, and lent for reading.

No module outside this package knows a scheme or a storage client.

=========  ============================================================
schemes    which store an address belongs to: the one table of schemes
store      what every store does
patterns   what a folder or pattern in a name means
local      files on this machine
gcs        Google Cloud Storage
=========  ============================================================
"""
