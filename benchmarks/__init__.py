"""Measures the hub: beside a plain Strawberry, with a quarter of a million people, and broken."""
