"""What Windlass does not do exactly as GitHub does: a table of facts, and where they matter."""

from windlass.lang.compat.feature import Feature, FeatureUse, Use, Verdict
from windlass.lang.compat.features import all_features, refused_features
from windlass.lang.compat.survey import describe, find_unsupported, survey

__all__ = [
    "Feature",
    "FeatureUse",
    "Use",
    "Verdict",
    "all_features",
    "describe",
    "find_unsupported",
    "refused_features",
    "survey",
]
