"""One fact, one file: each module defines one FACT named as its file."""
