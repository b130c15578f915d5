"""Who is asking: the secret, the public keys, the tokens. Its doors are `keys` and `tokens`."""
