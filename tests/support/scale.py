"""How much a scenario does: little in CI, all of it in a campaign (tests/campaigns)."""
import os

CAMPAIGN = os.environ.get("PROXYD_CAMPAIGN") == "1"


def scaled(short, long):
    return long if CAMPAIGN else short
