"""Background work: a ledger of jobs in the catalogue, and a runner that executes them through joblib."""

from sfa_kernel.jobs.kinds import Ground, Kind, Plan
from sfa_kernel.jobs.ledger import JobRequest, Ledger
from sfa_kernel.jobs.runner import Runner

__all__ = ["Ground", "JobRequest", "Kind", "Ledger", "Plan", "Runner"]
