"""The pages: which address shows what, always with period, cut-off, status and how many units have reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from tthc.domain.errors import Misconfigured, OutsideSystemFailed
from tthc.domain.text import sort_key
from tthc.serving import exports, figures
from tthc.serving.assessment import OUT_OF_PERIOD, UNMEASURED, assess
from tthc.serving.figures import BASES, DEFAULT_BASIS, DEFAULT_CALENDAR
from tthc.serving.web.pages import Pages
from tthc.serving.web.protection import SecurityHeaders
from tthc.serving.web.quality import newest_night, rule_words
from tthc.settings import Settings

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Short = Annotated[str, Query(max_length=40)]
