"""Requests to addresses that somebody else chose: nobody reaches through us what only we can reach."""
