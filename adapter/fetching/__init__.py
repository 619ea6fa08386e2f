"""Pictures by URL, fetched so that nobody reaches through us what only we can reach."""
