"""What is known of the sandbox without running it: its systems, and its demo secrets."""

from __future__ import annotations

#: The systems, in the order of their ports.
SYSTEMS = ("bank", "hospital", "school", "cinema")
#: The secrets, by the names that partner files have for them.
SECRETS = {
    "jinzhong-road-hospital-key": "sandbox-key-of-jinzhong-road",
    "tianshan-clinic-password": "sandbox-password-of-tianshan",
    "changning-school-office-secret": "sandbox-secret-of-changning",
    "tianshan-school-office-secret": "sandbox-secret-of-tianshan-schools",
    "hongqiao-cinema-token": "sandbox-token-of-hongqiao",
    "xinhua-culture-hall-key": "sandbox-key-of-xinhua",
}
