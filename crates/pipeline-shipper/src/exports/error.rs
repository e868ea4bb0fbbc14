use std::{error::Error as StdError, fmt, sync::Arc};

use pipeline_proto::Error;

/// Why there is no such export, or not with all that it should write.
#[derive(Debug, Clone)]
pub struct ExportError {
    export: String,
    why: Why,
}

#[derive(Debug, Clone)]
enum Why {
    Text(String),
    Call(Arc<Error>),
}

impl ExportError {
    pub(crate) fn new(export: &str, text: String) -> Self {
        Self {
            export: export.to_owned(),
            why: Why::Text(text),
        }
    }

    pub(crate) fn call(export: &str, error: Arc<Error>) -> Self {
        Self {
            export: export.to_owned(),
            why: Why::Call(error),
        }
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "export {}: ", self.export)?;
        match &self.why {
            Why::Text(text) => f.write_str(text),
            Why::Call(error) => error.fmt(f),
        }
    }
}

impl StdError for ExportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.why {
            Why::Text(_) => None,
            Why::Call(error) => Some(&**error),
        }
    }
}
