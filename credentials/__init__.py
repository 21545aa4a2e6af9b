"""Signing and checking: tokens, cards, receipts; pure, no I/O, no clock."""
