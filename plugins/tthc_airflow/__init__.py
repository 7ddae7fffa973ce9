"""The only code that knows Airflow: what a task does, what a failure means to the scheduler, how often at once."""
