"""What a report shows, as data (`report_model`) and as one HTML page (`rendering`). Pure: nothing is asked here."""
