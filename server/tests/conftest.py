"""How long the properties search, by HYPOTHESIS_PROFILE.

`ci`, the default, looks for seconds at each; `thorough` for minutes; `first` as long, and what it finds stays as found.
"""

import os

from hypothesis import HealthCheck, Phase, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=False, print_blob=True, suppress_health_check=_SLOW
)
settings.register_profile("thorough", settings.get_profile("ci"), max_examples=3000)
settings.register_profile("first", settings.get_profile("thorough"), phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
