"""What every room needs and no domain word: database, ids, clock, blobs, jobs, pages, errors."""
