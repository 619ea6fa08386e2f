# The key is shown once. It is good for two operations, 60 requests
# a minute and 10,000 results a month.
clearcanvas keys add shop --operation matte --operation color \
  --per-minute 60 --monthly 10000
clearcanvas keys list
