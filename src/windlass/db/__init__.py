"""Our tables: their migrations, and one module of questions for each noun."""
