"""One kind of partner (one protocol family), one module."""
