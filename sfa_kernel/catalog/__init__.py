"""The catalogue: the only truth for tracks, stems, jobs, features and cues.

One DuckDB file. Each module here owns the SQL of one aggregate, as plain functions that take a connection,
so that several compose into one transaction::

    with catalog.write() as connection:
        tracks.insert(connection, track)
        jobs.insert(connection, job)
"""

from sfa_kernel.catalog.connection import Catalog, Connection

__all__ = ["Catalog", "Connection"]
