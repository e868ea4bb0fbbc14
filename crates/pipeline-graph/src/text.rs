//! Reading and writing of the two notations.

pub(crate) mod json;
pub(crate) mod number;
pub(crate) mod yaml;
mod yaml_out;
