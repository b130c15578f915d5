"""The file's room: reads, writes, processes, functions, refusals."""
