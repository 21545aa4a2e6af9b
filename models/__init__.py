"""What is known: rows, values, errors and the SQL about them."""
