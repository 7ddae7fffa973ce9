"""The web application: published figures as plain pages that need neither script nor outside asset."""

from tthc.serving.web.app import create_app

__all__ = ["create_app"]
