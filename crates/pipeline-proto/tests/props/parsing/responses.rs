//! Whatever comes back is a value or an error.

use std::error::Error as _;

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    ApiError, Call, CallOptions, Context, Endpoint, Error, ErrorCode, ErrorKind, Fault, Next, Now,
    Operation, operation::Visitor, resource::AnyOperation, strategies,
};
use proptest::prelude::*;

use crate::support::secs;

/// What every error must be able to say, on one line and within bounds.
fn check(error: &Error) -> Result<(), TestCaseError> {
    let line = error.to_string();
    prop_assert!(!line.contains(|c: char| c.is_control()), "{:?}", line);
    prop_assert!(line.chars().count() < 1000, "{}", line);
    prop_assert!(line.starts_with(error.operation()));
    prop_assert!(ErrorKind::ALL.contains(&error.kind()));
    // An invalid byte becomes three.
    prop_assert!(error.body().is_none_or(|body| body.len() <= 3 * 4096));
    prop_assert_eq!(
        error.code().is_some(),
        error.api().is_some_and(|api| api.code().is_some())
    );
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_line = inner.to_string();
        prop_assert!(
            !line.contains(&inner_line),
            "{} repeats {}",
            line,
            inner_line
        );
        source = inner.source();
    }
    Ok(())
}

/// Gives any operation this response; the error that comes of it, if one does.
struct Answered(Response<Bytes>, Now);

impl Visitor for Answered {
    type Output = Option<Error>;

    fn visit<O: Operation>(self, operation: O) -> Option<Error> {
        let Self(response, now) = self;
        // Also where the machine would not have asked.
        let _ = operation.decode(&response);
        let call = Call::new(&Context::builder().build(), operation, CallOptions::new()).unwrap();
        let (_, in_flight) = call.start(now).send();
        match in_flight.on_response(response, now + secs(1)) {
            Next::Done(result) => result.err(),
            Next::Retry(backoff) => Some(backoff.resume(now + secs(3600)).err().unwrap()),
        }
    }
}

/// Gives one attempt of any operation a fault; the error, unless there is another attempt.
struct Faulty(Context, CallOptions, Fault, Now);

impl Visitor for Faulty {
    type Output = Option<Error>;

    fn visit<O: Operation>(self, operation: O) -> Option<Error> {
        let Self(context, options, fault, now) = self;
        let (_, in_flight) = Call::new(&context, operation, options)
            .ok()?
            .start(now)
            .send();
        match in_flight.on_fault(fault, now) {
            Next::Done(result) => result.err(),
            Next::Retry(_) => None,
        }
    }
}

/// An operation, and what the service says to it.
fn exchange(good: bool) -> impl Strategy<Value = (AnyOperation, Response<Bytes>)> {
    strategies::any_operation().prop_flat_map(move |operation| {
        let response = if good {
            operation.success().unwrap().boxed()
        } else {
            operation.failure().boxed()
        };
        (Just(operation), response)
    })
}

proptest! {
    #[test]
    fn what_the_service_shows_is_read_by_the_operation_that_asked((operation, response) in exchange(true), now in strategies::now()) {
        let error = operation.clone().visit(Answered(response, now));
        prop_assert!(error.is_none(), "{}: {}", operation.info().name, error.unwrap());
    }

    #[test]
    fn a_refusal_is_an_error_with_its_code((operation, response) in exchange(false), now in strategies::now()) {
        let text = String::from_utf8_lossy(response.body()).into_owned();
        let error = operation.clone().visit(Answered(response, now)).unwrap();
        check(&error)?;
        prop_assert!(text.contains(&error.code().unwrap().to_string()), "{}: {}", error, text);
    }

    #[test]
    fn a_fault_is_told_whatever_was_asked_and_however(
        operation in any::<AnyOperation>(),
        options in any::<CallOptions>(),
        endpoint in any::<Endpoint>(),
        fault in any::<Fault>(),
        now in strategies::now(),
    ) {
        let context = Context::builder().endpoint(endpoint).build();
        if let Some(error) = operation.visit(Faulty(context, options, fault, now)) {
            check(&error)?;
            prop_assert!([ErrorKind::Network, ErrorKind::Timeout, ErrorKind::UnexpectedResponse].contains(&error.kind()), "{}", error);
        }
    }

    #[test]
    fn any_status_with_any_bytes_is_a_value_or_an_error_for_every_operation(
        operation in strategies::any_operation(),
        response in strategies::response(),
        now in strategies::now(),
    ) {
        let success = matches!(response.status().as_u16(), 200 | 204);
        match operation.visit(Answered(response, now)) {
            None => prop_assert!(success),
            Some(error) => check(&error)?,
        }
    }

    #[test]
    fn any_response_can_be_read_as_an_error(response in strategies::response()) {
        let error = ApiError::from_response(&response);
        prop_assert_eq!(error.status(), response.status());
        let line = error.to_string();
        prop_assert!(!line.contains(|c: char| c.is_control()), "{:?}", line);
        let status = format!("(HTTP {}", response.status().as_u16());
        prop_assert!(line.contains(&status));
        prop_assert!(error.request_id().is_none_or(|id| !id.is_empty()));
    }

    #[test]
    fn the_code_of_a_well_formed_error_is_found(
        mut response in strategies::error_response(),
        number in 1000..100_000_u32,
        text in "[ a-zA-Z\"\\\\\u{4e2d}]{0,20}",
    ) {
        let body = serde_json::json!({ "error": format!("E{number}: {text}") });
        *response.body_mut() = body.to_string().into();
        let error = ApiError::from_response(&response);
        prop_assert_eq!(error.code().map(ErrorCode::number), Some(number));
        prop_assert_eq!(error.message(), text.trim());
        let kind = error.code().and_then(ErrorCode::kind);
        prop_assert_eq!(error.kind(), kind.unwrap_or(ErrorKind::from_status(error.status())));
    }
}
