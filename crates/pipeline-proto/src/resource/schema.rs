//! The fields of records.

mod short_form;

pub use short_form::{ParseSchemaError, Schema};

use super::data::spec;
use crate::model::json::open_enum;
pub use crate::name::FieldName;

open_enum! {
    /// The type of a field.
    pub enum ValType {
        /// Text.
        String = "string",
        /// A signed integer of 64 bits.
        Long = "long",
        /// A floating-point number of 64 bits.
        Float = "float",
        /// A time, as in RFC 3339.
        Date = "date",
        /// `true` or `false`.
        Boolean = "boolean",
        /// A list of values of one type.
        Array = "array",
        /// Fields inside of a field.
        Map = "map",
        /// Text that is JSON.
        Jsonstring = "jsonstring",
        /// An IP address. Known from the vendor's Go SDK only.
        Ip = "ip",
    }
}

open_enum! {
    /// The type of the elements of an array. The vendor's Go SDK can guess `boolean`, too, and then
    /// refuses it.
    pub enum ElemType {
        /// A signed integer of 64 bits.
        Long = "long",
        /// A floating-point number of 64 bits.
        Float = "float",
        /// Text.
        String = "string",
    }
}

/// How many fields of type map may enclose each other.
#[doc(hidden)]
pub const MAX_MAPS: usize = 5;

spec! {
    /// A field of a schema.
    ///
    /// ```
    /// use pipeline_proto::resource::schema::{SchemaEntry, ValType};
    ///
    /// let url = SchemaEntry::new("url", ValType::String);
    /// assert_eq!(serde_json::to_string(&url)?, r#"{"key":"url","valtype":"string"}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct SchemaEntry {
        /// Name of the field.
        "key" => key: String [Unique, Form(Form::NAME)],
        /// What the field holds.
        "valtype" => valtype: ValType,
        /// Whether a record must have it.
        "required" => required: Option<bool>,
        /// What the elements of an array are.
        "elemtype" => elemtype: Option<ElemType>
            [RequiredWith("valtype", "array"), OnlyWith("valtype", "array")],
        /// Fields of a map; at most five levels of maps.
        "schema" => schema: Option<Vec<SchemaEntry>> [OnlyWith("valtype", "map")],
        /// Free text.
        "description" => description: Option<String>,
    }
}

impl SchemaEntry {
    /// An optional field.
    pub fn new(key: impl Into<String>, valtype: ValType) -> Self {
        Self {
            key: key.into(),
            valtype,
            ..Self::default()
        }
    }
}
