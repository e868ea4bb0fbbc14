//! Variables, which stand as `$(name)` in SQL, paths and filters of files.

use super::data::spec;
use crate::name::{ShownName, VariableName, kind};
use crate::{
    error::BuildError,
    model::json::open_enum,
    operation::{
        RequestTemplate,
        read::{json, member, named, nothing},
        table::operations,
    },
};

operations! { variable variable_operations;
    /// Creates a variable. The content type is sent, as on the API page; the vendor's client sends none.
    CreateVariable create_variable(name: VariableName; json spec: VariableSpec)
        = POST "/v2/variables/{name}" Never Page -> () = nothing;

    /// Replaces a variable. E18656 for those of the system.
    UpdateVariable update_variable(name: VariableName; json spec: VariableSpec)
        = PUT "/v2/variables/{name}" Idempotent Page -> () = nothing;

    /// Shows one variable.
    GetVariable get_variable(name: VariableName) = GET "/v2/variables/{name}" Safe Page -> VariableSpec = json, then |get, variable| named(&get.name, variable.name.get_or_insert_default()), none on VARIABLE_NOT_FOUND;

    /// Lists variables: those of the account, unless told otherwise.
    ListVariables list_variables() {
        /// Whose.
        owner: VariableOwner,
    } = GET "/v2/variables" Safe Page, bodiless by hand -> Vec<VariableSpec> = member("variables");

    /// Deletes a variable. No body: the vendor's client sends one, the API page has none.
    DeleteVariable delete_variable(name: VariableName) = DELETE "/v2/variables/{name}" Idempotent Page
        -> () = nothing, done on VARIABLE_NOT_FOUND;
}

impl ListVariables {
    #[allow(clippy::unnecessary_wraps, reason = "as all that a row may name")]
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        let owner = self.owner.as_ref().unwrap_or(&VariableOwner::User);
        Ok(self.target().query("type", owner.as_str()))
    }
}

open_enum! {
    /// Whose a variable is.
    pub enum VariableOwner {
        /// The account's.
        User = "user",
        /// The service's own: `year`, `mon`, `day`, `hour`, `min`, `sec`, `date`, `now`.
        System = "system",
    }
}

spec! {
    /// A variable.
    ///
    /// ```
    /// use pipeline_proto::resource::variable::VariableSpec;
    ///
    /// let spec = VariableSpec::time("$(now)-5h", "yyyy-MM-dd HH:mm:ss");
    /// assert_eq!(
    ///     serde_json::to_string(&spec)?,
    ///     r#"{"type":"time","value":"$(now)-5h","format":"yyyy-MM-dd HH:mm:ss"}"#
    /// );
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct VariableSpec {
        /// What kind it is.
        "type" => r#type: String [OneOf(&["time", "string"])],
        /// Any text; of a time `$(now)`, with `-` and a number of `d`, `h` or `m` if need be.
        "value" => value: String,
        /// How a time is written, as in `yyyy-MM-dd HH:mm:ss`.
        "format" => format: Option<String> [RequiredWith("type", "time")],
        /// Its name.
        "name" => name: Option<ShownName<kind::Variable>> [OnReading],
    }
}

impl VariableSpec {
    /// A text.
    pub fn string(value: impl Into<String>) -> Self {
        Self {
            r#type: "string".into(),
            value: value.into(),
            ..Self::default()
        }
    }

    /// A time, counted from now, and how it is written.
    pub fn time(value: impl Into<String>, format: impl Into<String>) -> Self {
        Self {
            r#type: "time".into(),
            value: value.into(),
            format: Some(format.into()),
            ..Self::default()
        }
    }
}
