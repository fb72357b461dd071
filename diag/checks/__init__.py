"""What is judged: one rule, one file, one permanent slug. `run_checks` runs them all."""

from diag.checks.base import CheckContext
from diag.checks.causes import rank_causes
from diag.checks.registry import CHECKS
from diag.checks.runner import run_checks
from diag.checks.verdict import reach_verdict

__all__ = ["CHECKS", "CheckContext", "rank_causes", "reach_verdict", "run_checks"]
