"""One step of the schema, one file; a step once released is never edited."""
