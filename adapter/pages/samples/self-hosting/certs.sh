# Prints the three settings of each program.
.venv/bin/clearcanvas certs certs --caller shop
