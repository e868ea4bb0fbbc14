//! A clock that is off, which is the best-known trouble of this service: 15 minutes are allowed.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use pipeline_proto::{
    ApiError, Call, CallOptions, ClockOffset, Context, ErrorKind, Next, Now, RefusalCause,
    RetryPolicy, RetryReason, StopReason, Uncorrected,
    resource::workflow::{CreateWorkflow, GetWorkflow},
};

use super::support::{
    ACCESS_KEY, Event, SECRET_KEY, Trace, a_workflow, bad_token, builder, context, drive, millis,
    name, response, run, run_with, secs, signature::signed_at, start,
};

fn get() -> GetWorkflow {
    GetWorkflow::new(name())
}

/// A service with a clock of its own: it checks the signature and how old it is.
fn service(ahead: i64) -> impl FnMut(&Request<Bytes>, Now) -> Event {
    move |request, now| {
        let signed = signed_at(request, ACCESS_KEY, SECRET_KEY);
        let shift = secs(ahead.unsigned_abs());
        let here = if ahead < 0 {
            now.wall - shift
        } else {
            now.wall + shift
        };
        let difference = here.max(signed).duration_since(here.min(signed)).unwrap();
        let event = if difference > secs(15 * 60) {
            bad_token()
        } else {
            a_workflow()
        };
        event.clock_ahead(ahead)
    }
}

fn ask(context: &Context, at: Now, ahead: i64) -> Trace<pipeline_proto::model::Workflow> {
    let call = Call::new(context, get(), CallOptions::new()).unwrap();
    drive(call, at, service(ahead))
}

fn refusal(error: &pipeline_proto::Error) -> &RefusalCause {
    error
        .api()
        .and_then(ApiError::refusal)
        .expect("the error is a refusal")
}

/// Dates have whole seconds, so an offset is right to one.
fn is_about(offset: ClockOffset, expected: ClockOffset) -> bool {
    offset.is_ahead() == expected.is_ahead()
        && offset.magnitude().abs_diff(expected.magnitude()) <= secs(1)
}

#[test]
fn a_service_twenty_minutes_ahead_is_overcome_on_the_second_attempt() {
    let context = context();
    let trace = ask(&context, start(), 1200);
    assert!(trace.result.is_ok());
    assert_eq!(trace.attempts(), 2);
    let (delay, reason) = trace.pauses[0];
    assert_eq!(delay, Duration::ZERO, "there is nothing to wait for");
    let RetryReason::Clock(offset) = reason else {
        panic!("{reason:?}")
    };
    assert!(is_about(offset, ClockOffset::ahead(secs(1200))), "{offset}");
    assert_eq!(context.clock_offset(), offset);
}

#[test]
fn what_was_learned_is_remembered_for_the_next_call() {
    let context = context();
    ask(&context, start(), 1200);
    let next = ask(&context.clone(), start() + secs(60), 1200);
    assert_eq!(next.attempts(), 1);
    assert!(next.result.is_ok());
}

#[test]
fn an_offset_that_turns_out_wrong_is_learned_again() {
    let context = context();
    ask(&context, start(), 1200);
    // Somebody has set the service's clock.
    let corrected = ask(&context, start() + secs(60), 0);
    assert_eq!(corrected.attempts(), 2);
    assert!(corrected.result.is_ok());
    assert!(context.clock_offset().magnitude() <= secs(1));
    // And now it is behind.
    let behind = ask(&context, start() + secs(120), -3600);
    assert_eq!(behind.attempts(), 2);
    assert!(is_about(
        context.clock_offset(),
        ClockOffset::behind(secs(3600))
    ));
}

#[test]
fn a_create_is_repeated_too_because_a_refused_request_did_nothing() {
    let refused = bad_token().clock_ahead(1200);
    let trace = run(CreateWorkflow::new(name()), [refused, response(200)]);
    assert_eq!(trace.attempts(), 2);
    assert!(trace.result.is_ok());
}

#[test]
fn a_refusal_without_an_offset_is_not_repeated() {
    let minutes = |minutes: i64| bad_token().clock_ahead(minutes * 60);
    for (event, cause) in [
        (minutes(0), RefusalCause::Keys),
        (minutes(3), RefusalCause::Keys),
        (minutes(-3), RefusalCause::Keys),
        (bad_token(), RefusalCause::KeysOrClock),
        (
            bad_token().header("date", "yesterday"),
            RefusalCause::KeysOrClock,
        ),
    ] {
        let context = context();
        let trace = run_with(&context, get(), CallOptions::new(), [event]);
        assert_eq!(trace.attempts(), 1);
        let error = trace.error();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(error.stop_reason(), StopReason::NotRetryable);
        assert_eq!(refusal(&error), &cause);
        assert_eq!(context.clock_offset(), ClockOffset::default());
        // "The clocks agree" may be said only if they were compared.
        let line = error.to_string();
        let compared = cause == RefusalCause::Keys;
        assert_eq!(line.contains("the clocks agree"), compared, "{line}");
        assert!(line.contains("check"), "it says what to do: {line}");
    }
}

#[test]
fn what_is_signed_is_named_where_the_keys_may_not_be_to_blame() {
    let header = |options: CallOptions, name: &'static str| {
        options.header(HeaderName::from_static(name), HeaderValue::from_static("v"))
    };
    let plain = CallOptions::new;
    let two = header(header(plain(), "x-qiniu-b").unwrap(), "accept").unwrap();
    let refused = || bad_token().clock_ahead(0);
    let create = run_with(&context(), CreateWorkflow::new(name()), two, [refused()]).error();
    let bare = run_with(&context(), get(), plain(), [refused()]).error();
    // Where something else is to blame, the headers are not.
    let anonymous = run_with(&Context::builder().build(), get(), plain(), [refused()]).error();
    for (error, named) in [
        (create, Some("x-qiniu-b, content-type")),
        (bare, None),
        (anonymous, None),
    ] {
        let line = error.to_string();
        let said = line.split_once("on the way drops or changes what is signed: ");
        assert_eq!(
            said.map(|(_, names)| names.split(" (").next().unwrap()),
            named,
            "{line}"
        );
        let found = error.api().unwrap().signed_headers();
        assert_eq!(
            found.len(),
            named.map_or(0, |names| names.split(", ").count()),
            "{line}"
        );
    }
}

#[test]
fn more_than_four_minutes_are_acted_upon() {
    // Between the four minutes and the fifteen that the service allows something else may be
    // wrong, but one more attempt tells.
    let trace = run(get(), [bad_token().clock_ahead(5 * 60), a_workflow()]);
    assert_eq!(trace.attempts(), 2);
}

#[test]
fn an_offset_is_acted_upon_only_when_a_signature_is_refused() {
    let context = context();
    let skewed = |event: Event| event.clock_ahead(7200);
    let events = [skewed(response(503)), skewed(a_workflow())];
    run_with(&context, get(), CallOptions::new(), events);
    assert_eq!(context.clock_offset(), ClockOffset::default());
}

#[test]
fn with_the_correction_switched_off_the_error_names_the_offset() {
    let context = builder().correct_clock(false).build();
    let trace = ask(&context, start(), 1200);
    assert_eq!(trace.attempts(), 1);
    let error = trace.error();
    let RefusalCause::Clock(offset) = refusal(&error) else {
        panic!("{error:?}")
    };
    assert!(
        is_about(*offset, ClockOffset::ahead(secs(1200))),
        "{offset}"
    );
    let line = error.to_string();
    assert!(
        line.contains("s ahead of this machine's, and 15 minutes are allowed"),
        "{line}"
    );
    assert_eq!(context.clock_offset(), ClockOffset::default());
}

#[test]
fn a_response_from_a_cache_says_nothing_about_the_clock() {
    let cached = bad_token().clock_ahead(1200).header("age", "1200");
    let trace = run(get(), [cached]);
    assert_eq!(trace.attempts(), 1);
    assert_eq!(refusal(&trace.error()), &RefusalCause::KeysOrClock);
}

#[test]
fn a_response_that_took_longer_than_a_quarter_of_an_hour_says_nothing_about_the_clock() {
    let patient = || {
        let context = builder()
            .attempt_timeout(secs(3600))
            .total_timeout(secs(7200));
        Call::new(&context.build(), get(), CallOptions::new()).unwrap()
    };
    let refused = |after| [bad_token().clock_ahead(7200).after(after), a_workflow()];
    let slow = drive(
        patient(),
        start(),
        super::support::script(refused(secs(901))),
    );
    assert_eq!(slow.attempts(), 1);
    let quick = drive(
        patient(),
        start(),
        super::support::script(refused(secs(899))),
    );
    assert_eq!(quick.attempts(), 2);
}

#[test]
fn a_clock_that_jumps_about_is_worth_one_further_attempt_only() {
    let events = [
        bad_token().clock_ahead(1200),
        bad_token().clock_ahead(-7200),
    ];
    let trace = run(get(), events);
    assert_eq!(trace.attempts(), 2);
    let error = trace.error();
    assert_eq!(error.attempts(), 2);
    assert!(matches!(refusal(&error), RefusalCause::Clock(offset) if !offset.is_ahead()));
}

#[test]
fn the_further_attempt_does_not_count_against_the_policy() {
    let once = || CallOptions::new().retry(RetryPolicy::none());
    let refused = || bad_token().clock_ahead(1200);
    let trace = run_with(&context(), get(), once(), [refused(), a_workflow()]);
    assert!(trace.result.is_ok());

    let trace = run_with(&context(), get(), once(), [refused(), response(503)]);
    let error = trace.error();
    assert_eq!(error.attempts(), 2);
    assert_eq!(error.stop_reason(), StopReason::AttemptsExhausted);

    let events = [response(503), refused(), response(503), a_workflow()];
    let trace = run(get(), events);
    assert_eq!(trace.attempts(), 4);
    assert!(trace.result.is_ok());
}

#[test]
fn a_refusal_that_comes_after_the_deadline_is_not_repeated() {
    let context = builder().total_timeout(secs(10)).build();
    let call = Call::new(&context, get(), CallOptions::new()).unwrap();
    let (_, in_flight) = call.start(start()).send();
    let late = bad_token()
        .clock_ahead(1200)
        .into_response(start())
        .unwrap();
    let next = in_flight.on_response(late, start() + secs(10));
    let Next::Done(Err(error)) = next else {
        panic!("{next:?}")
    };
    assert!(matches!(refusal(&error), RefusalCause::Clock(_)));
}

#[test]
fn a_clock_that_was_never_set_is_corrected_if_any_offset_is() {
    let context = builder().max_clock_correction(Duration::MAX).build();
    let unset = Now::new(std::time::UNIX_EPOCH + millis(1), secs(1));
    let call = Call::new(&context, get(), CallOptions::new()).unwrap();
    let trace = drive(call, unset, service(1_700_000_000));
    assert_eq!(trace.attempts(), 2);
    assert!(trace.result.is_ok());
}

const DAY: i64 = 86_400;

/// What a clock this many seconds off leads to: whether it is corrected, and why not.
fn correction(context: &Context, ahead: i64) -> (bool, Option<Uncorrected>, String) {
    let trace = ask(context, start(), ahead);
    let corrected = trace.pauses.iter();
    let corrected = corrected.filter(|(_, reason)| matches!(reason, RetryReason::Clock(_)));
    let corrected = corrected.count() == 1;
    assert_eq!(corrected, trace.result.is_ok());
    assert_eq!(corrected, context.clock_offset() != ClockOffset::default());
    let Err(error) = trace.result else {
        return (corrected, None, String::new());
    };
    let RefusalCause::Clock(offset) = refusal(&error) else {
        panic!("the clock is the reason: {error}")
    };
    let expected = secs(ahead.unsigned_abs());
    assert!(offset.magnitude().abs_diff(expected) <= secs(1));
    (
        corrected,
        error.api().unwrap().uncorrected(),
        error.to_string(),
    )
}

#[test]
fn a_correction_has_a_bound() {
    let two_days = || builder().max_clock_correction(secs(2 * 86_400)).build();
    for (context, ahead, corrected) in [
        (context(), DAY - 60, true),
        (context(), 60 - DAY, true),
        (context(), DAY + 60, false),
        (context(), -DAY - 60, false),
        // Before 1970 and after 9999 there is no date to sign with.
        (context(), 200_000_000_000, false),
        (two_days(), DAY + 60, true),
        (two_days(), 2 * DAY + 60, false),
    ] {
        let (done, why, line) = correction(&context, ahead);
        assert_eq!(done, corrected, "{ahead}: {line}");
        if !corrected {
            assert!(matches!(why, Some(Uncorrected::TooFar(_))), "{why:?}");
            assert!(line.contains("s are made up for"), "{line}");
        }
    }
    let never = builder().max_clock_correction(Duration::ZERO).build();
    assert!(!correction(&never, 1200).0);
    // Whoever switched it off is told of the clock, and needs no reason.
    let off = builder().correct_clock(false).build();
    assert_eq!(correction(&off, 2 * DAY).1, None);
}

#[test]
fn plain_http_to_another_machine_is_not_believed_unless_asked() {
    for (endpoint, believed) in [
        ("https://pipeline.example", true),
        ("http://localhost:8080", true),
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080", true),
        ("http://pipeline.example", false),
        ("http://10.0.0.1:8080", false),
    ] {
        let builder = || builder().endpoint(endpoint.parse().unwrap());
        let (done, why, line) = correction(&builder().build(), 1200);
        assert_eq!(done, believed, "{endpoint}");
        if !believed {
            assert_eq!(why, Some(Uncorrected::PlainHttp));
            assert!(line.contains("over plain http"), "{line}");
        }
        let asked = || builder().correct_clock(true);
        assert!(correction(&asked().build(), 1200).0, "{endpoint}");
        assert!(!correction(&asked().build(), 2 * DAY).0, "{endpoint}");
    }
}
