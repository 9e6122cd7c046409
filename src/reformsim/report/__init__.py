"""What the reader sees: tables on the terminal, figures in a directory."""

#: Columns of a table that goes into a file or a pipe.
WIDTH = 80
