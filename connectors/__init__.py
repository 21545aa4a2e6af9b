"""Who is asked: partners, over HTTP."""
