//! Where the configuration file is.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy as _;

use super::{CONFIG_FILE, path_variable};
use crate::{failure::Failure, output::plain};

/// The place of the configuration file. There is none without a home folder, which containers and
/// system services often lack: then everything may still come from options and variables.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// The user has named it, and so means it.
    Named(PathBuf),
    Usual(PathBuf),
    Nowhere,
}

impl Place {
    pub(crate) fn find() -> Self {
        if let Some(path) = path_variable(CONFIG_FILE) {
            return Self::Named(path);
        }
        let folder = etcetera::choose_base_strategy().map(|folders| folders.config_dir());
        match folder {
            // What depends on the present folder is somebody else's.
            Ok(folder) if folder.is_absolute() => Self::Usual(folder.join("pipeline/config.toml")),
            _ => Self::Nowhere,
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Named(path) | Self::Usual(path) => Some(path),
            Self::Nowhere => None,
        }
    }

    /// The path, where there has to be one.
    pub(crate) fn required(&self) -> Result<&Path, Failure> {
        self.path().ok_or_else(|| {
            Failure::usage(format!(
                "there is no home folder to keep the configuration in: set HOME or {CONFIG_FILE}"
            ))
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => f.write_str(&plain(&path.display().to_string())),
            None => f.write_str("no home folder"),
        }
    }
}
