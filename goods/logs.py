"""Log records as lines of JSON, for machines that collect them."""

import json
import logging
from datetime import UTC, datetime

FIELDS = "fields"
"""The attribute of a record that holds more values: `log.info(..., extra={FIELDS: {...}})`."""


class JsonLines(logging.Formatter):
    """One JSON object a record: time, level, logger, message, and the values beside it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
