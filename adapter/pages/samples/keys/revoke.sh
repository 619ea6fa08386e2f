clearcanvas keys revoke "$ID"
