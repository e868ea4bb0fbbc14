use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::{date::rfc3339_millis, request_log::RecordedRequest};

/// A request of the log. A body that is no text is given in base64, and headers that occur once,
/// which most do, as plain strings.
pub(super) fn to_json(request: &RecordedRequest) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut headers = Map::new();
    for name in request.headers.keys() {
        let values = request.headers.get_all(name).iter();
        let mut values: Vec<_> = values.map(|value| text(value.as_bytes())).collect();
        let value = match values.len() {
            1 => json!(values.remove(0)),
            _ => json!(values),
        };
        headers.insert(name.to_string(), value);
    }
    let mut object = json!({
        "at": rfc3339_millis(request.at.wall),
        "method": request.method.as_str(),
        "target": request.uri.to_string(),
        "operation": request.operation,
        "workflow": request.workflow,
        "kind": request.kind,
        "name": request.name,
        "owner": request.owner,
        "headers": headers,
        "body_length": request.body_length,
        "status": request.status.as_u16(),
        "request_id": request.request_id,
    });
    match std::str::from_utf8(&request.body) {
        Ok(body) => object["body"] = json!(body),
        Err(_) => object["body_base64"] = json!(STANDARD.encode(&request.body)),
    }
    object
}
