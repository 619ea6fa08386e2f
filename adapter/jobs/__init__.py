"""Work that takes longer than a caller waits, as the public sees it: submitted, asked after, fetched, taken back."""
