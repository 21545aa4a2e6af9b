"""Signing and checking: tokens today, cards next; pure, no I/O, no clock."""
