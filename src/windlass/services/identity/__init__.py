"""Identity tokens of jobs: an OpenID Connect issuer of the machine's own."""
