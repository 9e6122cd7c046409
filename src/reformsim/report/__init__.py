"""What the reader sees: tables on the terminal, figures in a directory."""
