"""What the rules of the house look at: the contract, and the repository's own files."""

from __future__ import annotations

from pathlib import Path

import graphql
import pytest

import schema


@pytest.fixture(scope="session")
def contract() -> graphql.GraphQLSchema:
    """The contract as it is published, federation's own words left in."""
    return graphql.build_schema(schema.sdl(), assume_valid_sdl=True)


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]
