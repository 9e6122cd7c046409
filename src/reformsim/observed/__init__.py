"""What a user's own files tell: tables read as strangers write them, and their mistakes."""
