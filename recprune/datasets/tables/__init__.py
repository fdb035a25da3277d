"""Files of rows and columns, read as columns: text, Parquet, and either of them streamed."""
