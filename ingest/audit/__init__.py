"""The catalog audit: what a merchandiser can repair, found in values and in pictures."""
