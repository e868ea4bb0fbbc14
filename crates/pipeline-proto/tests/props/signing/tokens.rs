//! Tokens: made, read, checked, tampered with.

use http::{HeaderName, HeaderValue, Method};
use pipeline_proto::{CallOptions, Context, Token, TokenDescriptor, strategies};
use proptest::{prelude::*, sample::Index};

use super::requests::Sent;

proptest! {
    #[test]
    fn a_token_says_what_it_was_made_to_say(
        keys in strategies::credentials(),
        descriptor in strategies::token_descriptor(),
    ) {
        let credentials = keys.credentials();
        let token = descriptor.mint(&credentials);
        let bare = token.as_str().strip_prefix("Pandora ").unwrap();
        for text in [token.as_str(), bare] {
            let parsed: Token = text.parse().unwrap();
            prop_assert_eq!(&parsed, &token);
            prop_assert_eq!(parsed.access_key(), keys.access_key());
            prop_assert_eq!(parsed.decode().unwrap(), descriptor.clone());
            prop_assert_eq!(parsed.verify(&credentials).unwrap(), descriptor.clone());
        }
        // The JSON is that of any reader.
        let json: TokenDescriptor = serde_json::from_str(&descriptor.to_json()).unwrap();
        prop_assert_eq!(json, descriptor);
    }

    #[test]
    fn a_token_with_any_one_character_changed_is_refused(
        keys in strategies::credentials(),
        descriptor in strategies::token_descriptor(),
        at in any::<Index>(),
        other in "[ -~]",
    ) {
        let token = descriptor.mint(&keys.credentials());
        let text = token.as_str();
        let at = at.index(text.len());
        prop_assume!(&text[at..=at] != other.as_str());
        let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        let verified = changed.parse::<Token>().and_then(|token| token.verify(&keys.credentials()));
        prop_assert!(verified.is_err(), "{}", changed);
    }

    #[test]
    fn a_token_that_was_cut_short_or_made_longer_is_refused(
        keys in strategies::credentials(),
        descriptor in strategies::token_descriptor(),
        at in any::<Index>(),
        more in "[!-~]{1,3}",
    ) {
        let token = descriptor.mint(&keys.credentials());
        let text = token.as_str();
        for changed in [text[..at.index(text.len())].to_owned(), format!("{text}{more}")] {
            let verified = changed.parse::<Token>().and_then(|token| token.verify(&keys.credentials()));
            prop_assert!(verified.is_err(), "{}", changed);
        }
    }

    #[test]
    fn a_token_of_other_keys_is_refused(
        keys in strategies::credentials(),
        others in strategies::credentials(),
        descriptor in strategies::token_descriptor(),
    ) {
        prop_assume!(keys != others);
        let token = descriptor.mint(&keys.credentials());
        prop_assert!(token.verify(&others.credentials()).is_err());
    }

    #[test]
    fn any_text_is_a_token_or_an_error(text in any::<String>(), middle in "[!-9;-~]{1,40}") {
        for text in [text, format!("a:{middle}:{middle}"), format!("Pandora a:b:{middle}")] {
            if let Ok(token) = text.parse::<Token>() {
                let _ = token.decode();
                prop_assert!(token.as_str().starts_with("Pandora "));
            }
        }
    }

    #[test]
    fn a_token_made_from_a_request_fits_it_and_no_other(
        operation in strategies::any_operation(),
        now in strategies::now(),
        value in "[ -~]{0,12}",
    ) {
        let name = HeaderName::from_static("x-qiniu-trace");
        let value = HeaderValue::from_str(&value).unwrap();
        let options = CallOptions::new().header(name.clone(), value).unwrap();
        let context = Context::builder().build();
        let request = operation.visit(Sent { context, options, now }).0;
        let (parts, _) = request.into_parts();
        let descriptor = TokenDescriptor::for_request(&parts, now.wall).unwrap();
        prop_assert_eq!(descriptor.mismatch(&parts), None);

        let mut other = parts.clone();
        other.method = Method::PATCH;
        prop_assert_eq!(descriptor.mismatch(&other), Some("method"));
        let mut other = parts.clone();
        other.uri = http::Uri::from_static("https://pipeline.qiniu.com/v2/other");
        prop_assert_eq!(descriptor.mismatch(&other), Some("resource"));
        let mut other = parts.clone();
        other.headers.insert("content-type", HeaderValue::from_static("text/html"));
        prop_assert_eq!(descriptor.mismatch(&other), Some("contentType"));
        let mut other = parts.clone();
        other.headers.insert("content-md5", HeaderValue::from_static("x"));
        prop_assert_eq!(descriptor.mismatch(&other), Some("contentMD5"));
        let mut other = parts;
        other.headers.remove(name);
        prop_assert_eq!(descriptor.mismatch(&other), Some("headers"));
    }
}
