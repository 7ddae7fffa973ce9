"""Figures by place and period."""
