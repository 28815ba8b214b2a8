"""Version of the installed package."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("amp-lab")
except PackageNotFoundError:  # a source tree that was built but not installed
    __version__ = "0+source"
