"""``diag doctor``: what can be reached, with what rights, and what to do about the rest.

side_by_side   probes, each within its own time
here           settings, terminal
google         credentials, log entries, their export, the clock
broker         the broker and the rights there
kubernetes     the cluster and the rights there
"""

from diag.app.doctor.examine import DoctorRequest, examine

__all__ = ["DoctorRequest", "examine"]
