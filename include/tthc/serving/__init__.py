"""What leaves: published views, official forms, workbooks, pages."""
