"""Pipeline: what happens to a song, and in which order.

``add -> separate, analyze -> autocue``; each stage runs alone too. A stage is the small glue between the
catalogue and an engine: it reads rows and files, lets a worker process call the engine, and writes rows and
files in one transaction.
"""

from sfa_kernel.pipeline.stages import KINDS, STAGES, enqueue, parse_stages, queue_limits

__all__ = ["KINDS", "STAGES", "enqueue", "parse_stages", "queue_limits"]
