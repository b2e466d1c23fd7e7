"""What is to complete (DOMAIN §10): policies without subscriber or rate, and typed rates that differ from the observed.

Each condition holds or does not, also where a rate is missing.
"""

from django.db.models import F, Q

HAS_TYPED_RATE = Q(typed_rate__isnull=False)
HAS_TYPED_SUBSCRIBER = ~Q(typed_subscriber="")
WITHOUT_SUBSCRIBER = Q(typed_subscriber="", deduced_subscriber="")
WITHOUT_RATE = Q(typed_rate__isnull=True, observed_rate__isnull=True)
# Where nothing is observed, there is nothing to differ from.
RATE_DIFFERS = Q(typed_rate__isnull=False, observed_rate__isnull=False) & ~Q(typed_rate=F("observed_rate"))
POLICY_TO_COMPLETE = WITHOUT_SUBSCRIBER | WITHOUT_RATE | RATE_DIFFERS
