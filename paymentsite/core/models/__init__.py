from paymentsite.core.models.approvals import Approval
from paymentsite.core.models.audit import AuditEntry, AuditLink, AuditSeal, AuditWaiting
from paymentsite.core.models.clock import ClockShift
from paymentsite.core.models.jobs import JobRun
from paymentsite.core.models.open_items import OpenItem
from paymentsite.core.models.realm import Realm
from paymentsite.core.models.vault import KeyRotation
from paymentsite.core.models.verification import LastGoodRun

__all__ = [
    "Approval",
    "AuditEntry",
    "AuditLink",
    "AuditSeal",
    "AuditWaiting",
    "ClockShift",
    "JobRun",
    "KeyRotation",
    "LastGoodRun",
    "OpenItem",
    "Realm",
]
