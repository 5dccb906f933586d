"""Pages of research that stand over several rooms: people, a site's own page, a reader's conflict of interest."""
