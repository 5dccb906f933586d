"""Arrived exams find their subject and visit; reading units and tasks are made; tasks move by one table."""
