//! The path that is signed is the path that is sent.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use pipeline_proto::{
    Call, CallOptions, Context, Now, Operation, RequestTemplate, UnixTime, operation::Visitor,
    sign, strategies,
};
use proptest::{collection::vec, prelude::*};

use crate::support::signature::signed_at;

/// Headers that are signed, and some that only look so.
fn headers() -> impl Strategy<Value = Vec<(HeaderName, HeaderValue)>> {
    let name = "(x-qiniu-[a-z_]{0,4}|x-qiniu|x-qinius-a|content-md5|accept)"
        .prop_map(|text| HeaderName::from_bytes(text.as_bytes()).unwrap());
    let value = "[ -~\t]{0,12}".prop_map(|text| HeaderValue::from_str(&text).unwrap());
    vec((name, value), 0..5)
}

/// The percent-decoding of a query, written for this test.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// The first request of any operation, and the target of its template.
pub(crate) struct Sent {
    pub(crate) context: Context,
    pub(crate) options: CallOptions,
    pub(crate) now: Now,
}

impl Visitor for Sent {
    type Output = (Request<Bytes>, String);

    fn visit<O: Operation + Clone>(self, operation: O) -> Self::Output {
        let target = operation.template().unwrap().target().to_owned();
        // A header that the operation sets itself is refused.
        let call = Call::new(&self.context, operation.clone(), self.options)
            .or_else(|_| Call::new(&self.context, operation, CallOptions::new()))
            .unwrap();
        (call.start(self.now).send().0, target)
    }
}

proptest! {
    #[test]
    fn what_is_signed_is_what_is_sent(
        operation in strategies::any_operation(),
        keys in strategies::credentials(),
        now in strategies::now(),
        endpoint in strategies::endpoint(),
        headers in headers(),
    ) {
        let context = Context::builder().endpoint(endpoint.clone()).credentials(keys.credentials()).build();
        let mut options = CallOptions::new();
        for (name, value) in headers {
            // A header that is there already is refused.
            options = options.clone().header(name, value).unwrap_or(options);
        }
        let (request, target) = operation.visit(Sent { context, options, now });
        let signed = signed_at(&request, keys.access_key(), keys.secret_key());
        // To the second; the format ends with the year 9999.
        let seconds = UnixTime::from(now.wall).as_secs().min(253_402_300_799);
        prop_assert_eq!(UnixTime::from(signed).as_secs(), seconds);
        prop_assert_eq!(request.uri().to_string(), format!("{endpoint}{target}"));

        // The public signer, which takes any request, agrees.
        let (mut parts, body) = request.into_parts();
        let sent = parts.headers.remove("authorization").unwrap();
        prop_assert_eq!(sign::authorization(&parts, &keys.credentials()).unwrap(), sent);
        let length = parts.headers.get("content-length").map(|value| value.to_str().unwrap().to_owned());
        let declared = length.map_or(0, |length| length.parse().unwrap());
        prop_assert_eq!(body.len(), declared);
        prop_assert!(parts.uri.path().bytes().all(|b| b.is_ascii_alphanumeric() || b"/_.-~".contains(&b)));
    }

    #[test]
    fn a_path_is_refused_or_sent_as_it_is(segments in vec(prop_oneof!["[a-zA-Z0-9_.~-]{0,4}", any::<String>()], 1..4)) {
        let borrowed: Vec<&str> = segments.iter().map(String::as_str).collect();
        let plain = |segment: &&str| {
            !matches!(*segment, "" | "." | "..")
                && segment.chars().all(|c| c.is_ascii_alphanumeric() || "_.-~".contains(c))
        };
        match RequestTemplate::new(Method::GET, &borrowed) {
            Ok(template) => {
                prop_assert!(borrowed.iter().all(plain));
                prop_assert_eq!(template.target(), format!("/{}", segments.join("/")));
            }
            Err(error) => {
                prop_assert!(!borrowed.iter().all(plain));
                let error = error.to_string();
                prop_assert!(!error.contains('\n'), "{}", error);
            }
        }
    }

    #[test]
    fn a_query_is_decoded_to_what_was_given(pairs in vec((any::<String>(), any::<String>()), 1..4)) {
        let mut template = RequestTemplate::new(Method::GET, &["v2"]).unwrap();
        for (name, value) in &pairs {
            template = template.query(name, value);
        }
        let query = template.target().strip_prefix("/v2?").unwrap();
        let found: Vec<(String, String)> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        prop_assert_eq!(found, pairs);
    }

    #[test]
    fn any_path_is_signed_decoded_or_refused(path in "(/[a-zA-Z%0-9]{0,6}){1,3}") {
        let bytes = path.as_bytes();
        let broken = bytes.iter().enumerate().any(|(at, byte)| {
            let escape = bytes.get(at + 1..at + 3);
            *byte == b'%' && !escape.is_some_and(|escape| escape.iter().all(u8::is_ascii_hexdigit))
        });
        match sign::canonical_resource(&path) {
            Ok(resource) => prop_assert!(resource.len() <= path.len()),
            // A % may itself be part of an escape, so `broken` is no proof of the opposite.
            Err(_) => prop_assert!(broken),
        }
    }
}
