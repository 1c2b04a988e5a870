"""What people look at: pictures, tables, summaries."""
