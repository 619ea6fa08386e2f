"""What payment costs in time: the 402, the check of a credential, and what is added to a request that is paid."""
