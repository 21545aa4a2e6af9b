"""What is said outside GraphQL: plain HTTP for tills, tokens, keys, lists and proofs."""
