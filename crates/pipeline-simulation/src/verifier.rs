//! Who a request is from, judged a third time: neither by the client's signer nor by the emulator's
//! verifier, but by the rules written down once more, in the plainest way.

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Request};
use pipeline_proto::Credentials;
use sha1::Sha1;

use super::clock::unix_seconds;

/// How far a `Date` may be off, in seconds.
const ALLOWED: u64 = 900;

/// A pair of keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) access: &'static str,
    pub(super) secret: &'static str,
    /// Whose they are; of keys that the service does not know, nobody's.
    pub(super) account: &'static str,
}

impl Keys {
    pub(super) const fn is_known(&self) -> bool {
        !self.account.is_empty()
    }

    /// The same for a client.
    pub(super) fn credentials(&self) -> Credentials {
        Credentials::new(self.access, self.secret).expect("the keys of the simulation are legal")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It speaks for this account.
    Valid(&'static str),
    /// It says nothing of who sends it.
    Anonymous,
    /// The signature or the token was not made with keys that the service knows.
    Keys,
    /// The signature is good, the date is not.
    Skewed,
    /// The token is genuine and has expired.
    Expired,
    /// The token is genuine and meant for another request.
    Mismatched,
}

impl Verdict {
    pub(super) const fn is_valid(self) -> bool {
        matches!(self, Self::Valid(_))
    }
}

/// Judges a request that arrives when the service's clock shows `service_time`, in seconds.
pub(super) fn judge(keyring: &[Keys], request: &Request<Bytes>, service_time: u64) -> Verdict {
    let headers = request.headers();
    let Some(rest) = header(headers, "authorization").strip_prefix("Pandora ") else {
        return Verdict::Anonymous;
    };
    let parts: Vec<&str> = rest.split(':').collect();
    let Some(keys) = keyring.iter().find(|keys| keys.access == parts[0]) else {
        return Verdict::Keys;
    };
    match parts[1..] {
        [signature] if signature == mac(keys, &string_to_sign(request)) => {
            let date = httpdate::parse_http_date(header(headers, "date")).map(unix_seconds);
            match date {
                Ok(date) if date.abs_diff(service_time) <= ALLOWED => Verdict::Valid(keys.account),
                _ => Verdict::Skewed,
            }
        }
        [signature, descriptor] if signature == mac(keys, descriptor) => {
            token(keys, descriptor, request, service_time)
        }
        _ => Verdict::Keys,
    }
}

fn token(keys: &Keys, descriptor: &str, request: &Request<Bytes>, service_time: u64) -> Verdict {
    let json = URL_SAFE.decode(descriptor).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
    if json["expires"].as_u64().is_none_or(|at| at < service_time) {
        return Verdict::Expired;
    }
    let headers = request.headers();
    let fits = json["method"] == request.method().as_str()
        && json["resource"] == request.uri().path()
        && json["contentType"] == header(headers, "content-type")
        && json["contentMD5"] == header(headers, "content-md5")
        && json["headers"] == signed_headers(headers).as_str();
    if fits {
        Verdict::Valid(keys.account)
    } else {
        Verdict::Mismatched
    }
}

fn string_to_sign(request: &Request<Bytes>) -> String {
    let headers = request.headers();
    format!(
        "{}\n{}\n{}\n{}\n{}{}",
        request.method(),
        header(headers, "content-md5"),
        header(headers, "content-type"),
        header(headers, "date"),
        signed_headers(headers),
        request.uri().path()
    )
}

fn signed_headers(headers: &HeaderMap) -> String {
    let mut lines: Vec<String> = headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("x-qiniu-"))
        .map(|name| format!("\n{name}:{}", header(headers, name).trim()))
        .collect();
    lines.sort();
    lines.concat()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn mac(keys: &Keys, message: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(keys.secret.as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(message.as_bytes());
    URL_SAFE.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[Keys] = &[Keys {
        access: "ak",
        secret: "sk",
        account: "1",
    }];
    /// When the request below was signed.
    const SIGNED: u64 = 784_111_777;

    fn request(authorization: &str) -> Request<Bytes> {
        Request::post("https://pipeline.qiniu.com/v2/workflows/w")
            .header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("content-type", "application/json")
            .header("x-qiniu-b", " 2 ")
            .header("x-qiniu-a", "1")
            .header("authorization", authorization)
            .body(Bytes::new())
            .unwrap()
    }

    #[test]
    fn the_string_to_sign_is_that_of_the_rules() {
        assert_eq!(
            string_to_sign(&request("")),
            "POST\n\napplication/json\nSun, 06 Nov 1994 08:49:37 GMT\n\nx-qiniu-a:1\nx-qiniu-b:2/v2/workflows/w"
        );
    }

    #[test]
    fn fifteen_minutes_either_way_are_allowed() {
        let signature = mac(&KEYS[0], &string_to_sign(&request("")));
        let request = request(&format!("Pandora ak:{signature}"));
        for (time, verdict) in [
            (SIGNED, Verdict::Valid("1")),
            (SIGNED + 900, Verdict::Valid("1")),
            (SIGNED - 900, Verdict::Valid("1")),
            (SIGNED + 901, Verdict::Skewed),
            (SIGNED - 901, Verdict::Skewed),
        ] {
            assert_eq!(judge(KEYS, &request, time), verdict, "{time}");
        }
    }

    #[test]
    fn a_token_must_be_genuine_current_and_meant_for_the_request() {
        let token = |expires: u64, resource: &str| {
            let json = format!(
                r#"{{"resource":"{resource}","expires":{expires},"contentMD5":"","contentType":"application/json","headers":"\nx-qiniu-a:1\nx-qiniu-b:2","method":"POST"}}"#
            );
            let descriptor = URL_SAFE.encode(json);
            let signature = mac(&KEYS[0], &descriptor);
            request(&format!("Pandora ak:{signature}:{descriptor}"))
        };
        let path = "/v2/workflows/w";
        let at = |expires, resource| judge(KEYS, &token(expires, resource), SIGNED);
        assert_eq!(at(SIGNED, path), Verdict::Valid("1"));
        assert_eq!(at(SIGNED - 1, path), Verdict::Expired);
        assert_eq!(at(SIGNED, "/v2/workflows/v"), Verdict::Mismatched);
    }

    #[test]
    fn strangers_are_told_apart() {
        let verdict = |text| judge(KEYS, &request(text), SIGNED);
        assert_eq!(verdict(""), Verdict::Anonymous);
        assert_eq!(verdict("Pandora other:sig"), Verdict::Keys);
        assert_eq!(verdict("Pandora ak:sig"), Verdict::Keys);
        assert_eq!(verdict("Pandora ak:sig:desc"), Verdict::Keys);
        assert_eq!(verdict("Pandora ak:a:b:c"), Verdict::Keys);
    }
}
