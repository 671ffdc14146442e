"""``seqvision train forecast`` and ``seqvision train classify``."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import tyro

from seqvision import pipelines
from seqvision.pipelines import ClassifyConfig, ForecastConfig

from .command import LongCommand


@dataclass(frozen=True, kw_only=True)
class _Training(LongCommand):
    config_file: str | None = None
    """file of settings, TOML or the config.json of a run: it counts more than defaults, and flags more than it"""
    print_config: bool = False
    """print all settings as a file for --config, train nothing"""
    dry_run: bool = False
    """show shapes and parameter counts, train nothing"""

    def afterwards(self, result: Any) -> str:
        """Name the folder of the run."""
        return "" if self.dry_run or self.print_config else f"run folder: {result.folder}"


@dataclass(frozen=True)
class Settings:
    """A configuration as it is printed."""

    config: Any

    @property
    def text(self) -> str:
        """The text of a file for --config."""
        return pipelines.settings_text(self.config).rstrip()

    def to_dict(self) -> dict[str, Any]:
        """Return the settings."""
        return dataclasses.asdict(self.config)


@dataclass(frozen=True, kw_only=True)
class TrainForecast(_Training):
    """Train forecasters on a series and judge them beside the naive forecasts on the same rows."""

    config: tyro.conf.OmitArgPrefixes[ForecastConfig] = field(default_factory=ForecastConfig)

    def run(self) -> "pipelines.Result":
        """Train, describe, or print the settings."""
        if self.print_config:
            return Settings(self.config)
        if self.dry_run:
            return pipelines.describe_forecast(self.config)
        with self.shown():
            return pipelines.run_forecast(self.config, progress=self.progress)


@dataclass(frozen=True, kw_only=True)
class TrainClassify(_Training):
    """Train classifiers on images and judge them beside the commonest class on the same rows."""

    config: tyro.conf.OmitArgPrefixes[ClassifyConfig] = field(default_factory=ClassifyConfig)

    def run(self) -> "pipelines.Result":
        """Train, describe, or print the settings."""
        if self.print_config:
            return Settings(self.config)
        if self.dry_run:
            return pipelines.describe_classify(self.config)
        with self.shown():
            return pipelines.run_classify(self.config, progress=self.progress)
