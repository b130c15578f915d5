"""What Studio calls and no API client does, for administrators only: `/api/admin/v1`.

endpoints   the door: which path, which method, who asks
links       one-time links: made by whoever may write beside the database, claimed once by a browser
health      how this server is
"""

from wherry.admin.endpoints import BASE_PATH, AdminApi
from wherry.admin.health import HealthReport
from wherry.admin.links import Links, link_address

__all__ = ["BASE_PATH", "AdminApi", "HealthReport", "Links", "link_address"]
