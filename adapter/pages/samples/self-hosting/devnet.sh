make up ARGS=--devnet    # the same, and two local chains on which it is paid
