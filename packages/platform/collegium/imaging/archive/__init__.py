"""What arrived: exams, series, instances, their blobs and their allow-listed metadata."""
