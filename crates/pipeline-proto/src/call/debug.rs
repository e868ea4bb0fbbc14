//! What the steps of a call show of themselves. A body may hold the secrets of a node, so only its
//! length is shown.

use std::fmt;

use super::machine::{Attempt, Call};

impl<O> fmt::Debug for Call<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.state.method)
            .field("uri", &self.state.uri)
            .field("body", &format_args!("[{} bytes]", self.state.body.len()))
            .field("progress", &self.state.progress)
            .finish_non_exhaustive()
    }
}

impl<O: fmt::Debug> fmt::Debug for Attempt<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("headers", self.request.headers())
            .field("in_flight", &self.in_flight)
            .finish()
    }
}
