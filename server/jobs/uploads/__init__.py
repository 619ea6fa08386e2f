"""Finished results where callers fetch them without us: a remote store's presigned links, or Cloudinary."""
