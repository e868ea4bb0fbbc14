//! A call whose fate is written in bytes: which operation, which policy, and what happens to each
//! attempt. Every rule of the policy is checked on the way.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{AGE, AUTHORIZATION, DATE, HeaderName, RETRY_AFTER},
};
use pipeline_proto::{
    Attempt, Auth, Call, CallOptions, Context, Credentials, Effect, Fault, FaultKind, Idempotency,
    Next, Now, Operation, RetryPolicy, RetryReason, StopReason, TokenDescriptor, WorkflowName,
    model::Nodes,
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, SearchLogs,
        StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
    sign,
};

const SECRET_KEY: &str = "t0p-s3cret";

/// Bytes taken one by one; zeros once they are used up.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()]
    }

    fn span(&mut self) -> Duration {
        const MILLIS: &[u64] = &[
            0,
            1,
            50,
            200,
            1000,
            5000,
            30_000,
            300_000,
            2_000_000,
            u64::MAX,
        ];
        Duration::from_millis(self.choose(MILLIS))
    }
}

/// # Panics
///
/// If the machine breaks a rule.
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let script = &mut script;
    let name = WorkflowName::from_static("logs");
    match script.byte() % 9 {
        0 => check(script, CreateWorkflow::new(name)),
        1 => check(script, UpdateWorkflow::new(name, Nodes::new())),
        2 => check(script, ListWorkflows::new()),
        3 => check(script, GetWorkflow::new(name)),
        4 => check(script, GetWorkflowStatus::new(name)),
        5 => check(script, StartWorkflow::new(name)),
        6 => check(script, StopWorkflow::new(name)),
        7 => check(script, DeleteWorkflow::new(name)),
        _ => check(script, SearchLogs::new(name)),
    }
}

/// What a call may do.
struct Limits {
    attempts: u32,
    longest: Duration,
    retry_after: Duration,
    budget: Duration,
    attempt: Duration,
    total: Duration,
    correct_clock: bool,
}

impl Limits {
    fn new(script: &mut Script<'_>) -> Self {
        Self {
            attempts: u32::from(script.byte() % 6).max(1),
            longest: script.span(),
            retry_after: script.span(),
            budget: script.span(),
            attempt: script.span(),
            total: script.span(),
            correct_clock: !script.byte().is_multiple_of(4),
        }
    }
}

fn auth(script: &mut Script<'_>, credentials: &Credentials) -> Auth {
    match script.byte() % 4 {
        0 => Auth::Anonymous,
        1 => {
            let expires = UNIX_EPOCH + Duration::from_secs(784_111_777);
            TokenDescriptor::new(&http::Method::GET, "/v2/workflows", expires)
                .mint(credentials)
                .into()
        }
        _ => credentials.clone().into(),
    }
}

fn start(script: &mut Script<'_>) -> Now {
    let wall = match script.byte() % 4 {
        0 => UNIX_EPOCH + Duration::from_secs(784_111_777),
        1 => UNIX_EPOCH,
        2 => UNIX_EPOCH - Duration::from_secs(100),
        _ => UNIX_EPOCH + Duration::from_secs(253_402_300_799),
    };
    Now::new(wall, script.span())
}

fn check<O: Operation>(script: &mut Script<'_>, operation: O) {
    let limits = Limits::new(script);
    let credentials = Credentials::new("ak", SECRET_KEY).expect("the keys are legal");
    let auth = auth(script, &credentials);
    let context = Context::builder()
        .auth(auth)
        .correct_clock(limits.correct_clock)
        .build();
    let policy = RetryPolicy::default()
        .max_attempts(limits.attempts)
        .base_delay(script.span())
        .max_delay(limits.longest)
        .max_retry_after(limits.retry_after)
        .budget(limits.budget);
    let options = CallOptions::new()
        .retry(policy)
        .attempt_timeout(limits.attempt)
        .total_timeout(limits.total)
        .seed(script.byte().into());
    let mut now = start(script);
    let deadline = now.mono.saturating_add(limits.total);

    let call = Call::new(&context, operation, options).expect("the operation is legal");
    let mut attempt = call.start(now);
    let (mut sent, mut corrections, mut fallbacks) = (0, 0, 0);
    let mut waited = Duration::ZERO;
    let mut harmless = true;
    let result = loop {
        sent += 1;
        assert_eq!(attempt.number(), sent);
        assert!(
            sent <= limits.attempts + corrections + fallbacks,
            "one attempt too many"
        );
        assert!(
            sent == 1 || now.mono < deadline,
            "an attempt after the deadline"
        );
        assert!(attempt.timeout() <= limits.attempt);
        assert!(attempt.timeout() <= deadline.saturating_sub(now.mono));
        check_request(&attempt, &context, &credentials, now);

        let timeout = attempt.timeout();
        let (_, in_flight) = attempt.send();
        let (latency, outcome) = event(script, now);
        let outcome = if latency < timeout {
            outcome
        } else {
            Err(FaultKind::TimedOut)
        };
        now = now + latency.min(timeout);
        let harmless_here = is_harmless(&outcome);
        harmless &= harmless_here;
        let next = match outcome.clone() {
            Ok(response) => in_flight.on_response(response, now),
            Err(kind) => in_flight.on_fault(Fault::new(kind), now),
        };
        let backoff = match next {
            Next::Done(result) => break result,
            Next::Retry(backoff) => backoff,
        };
        assert!(
            harmless_here || O::IDEMPOTENCY != Idempotency::Never,
            "{} is sent again after {outcome:?}",
            O::NAME
        );
        check_reason(backoff.reason(), &outcome);
        if let RetryReason::Clock(offset) = backoff.reason() {
            corrections += 1;
            assert_eq!(corrections, 1, "a second correction of the clock");
            assert!(limits.correct_clock && matches!(context.auth(), Auth::Credentials(_)));
            assert_eq!(backoff.delay(), Duration::ZERO);
            assert_eq!(context.clock_offset(), offset);
        }
        if let RetryReason::Fallback(_) = backoff.reason() {
            fallbacks += 1;
            assert_eq!(fallbacks, 1, "a second fallback");
            assert_eq!(backoff.delay(), Duration::ZERO);
        }
        waited = waited.saturating_add(backoff.delay());
        assert!(waited <= limits.budget, "{waited:?} of waits");
        assert!(backoff.delay() <= limits.longest.max(limits.retry_after));
        assert!(now.mono.saturating_add(backoff.delay()) < deadline);
        // A wait may take longer than it should, but not shorter.
        now = now + backoff.delay().saturating_add(script.span());
        attempt = match backoff.resume(now) {
            Ok(attempt) => attempt,
            Err(error) => {
                assert!(now.mono >= deadline);
                break Err(error);
            }
        };
    };
    let Err(error) = result else { return };
    assert_eq!((error.attempts(), error.operation()), (sent, O::NAME));
    if error.effect() == Effect::None {
        assert!(
            harmless || O::IDEMPOTENCY == Idempotency::Safe,
            "{error} hides an effect"
        );
    } else {
        assert!(
            !harmless && O::IDEMPOTENCY != Idempotency::Safe,
            "{error} invents an effect"
        );
    }
    if error.stop_reason() == StopReason::AttemptsExhausted {
        assert_eq!(sent - corrections - fallbacks, limits.attempts, "{error}");
    }
    let line = error.to_string();
    assert!(
        !line.contains(char::is_control) && !line.contains(SECRET_KEY),
        "{line}"
    );
}

/// The request says the moment, by the service's clock as far as that is known, and is signed.
fn check_request<O: Operation>(
    attempt: &Attempt<O>,
    context: &Context,
    credentials: &Credentials,
    now: Now,
) {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = attempt.request().method().clone();
    parts.uri = attempt.request().uri().clone();
    parts.headers = attempt.request().headers().clone();
    let authorization = parts.headers.get(AUTHORIZATION);
    match context.auth() {
        Auth::Credentials(_) => {
            let expected = sign::authorization(&parts, credentials).expect("the path is legal");
            assert_eq!(authorization, Some(&expected));
        }
        Auth::Token(token) => assert!(authorization.is_some_and(|value| value == token.as_str())),
        _ => assert_eq!(authorization, None),
    }
    let wall = context.clock_offset().apply(now.wall);
    let year_1970_to_9999 = wall
        .duration_since(UNIX_EPOCH)
        .is_ok_and(|since| since.as_secs() <= 253_402_300_799);
    if year_1970_to_9999 {
        assert_eq!(parts.headers[DATE], http_date(wall));
    }
}

fn check_reason(reason: RetryReason, outcome: &Result<Response<Bytes>, FaultKind>) {
    match (reason, outcome) {
        (RetryReason::Fault(reason), Err(kind)) => {
            assert_eq!(reason, *kind);
            assert_ne!(reason, FaultKind::BodyTooLarge);
        }
        (RetryReason::Status(status), Ok(response)) => {
            assert_eq!(status, response.status());
            let body = String::from_utf8_lossy(response.body());
            assert!(
                matches!(status.as_u16(), 202 | 429 | 500 | 502 | 503 | 504)
                    || body.contains("E18124")
                    || body.contains("E9000"),
                "{status} is no reason to try again: {body}"
            );
        }
        (RetryReason::Clock(_), Ok(response)) => {
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        }
        (RetryReason::Fallback(status), Ok(response)) => {
            assert_eq!(status, response.status());
            assert!(matches!(status.as_u16(), 404 | 405 | 501));
        }
        (reason, outcome) => panic!("{reason:?} after {outcome:?}"),
    }
}

/// Whether the service cannot have acted on a request that ended so: it never got there, it was
/// refused, or it was turned away with a time to come back.
fn is_harmless(outcome: &Result<Response<Bytes>, FaultKind>) -> bool {
    match outcome {
        Err(kind) => *kind == FaultKind::NotSent,
        Ok(response) => {
            let body = String::from_utf8_lossy(response.body());
            let put_off = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok())
                .is_some_and(|value| value.ends_with("GMT") || value.parse::<f64>().is_ok());
            match response.status().as_u16() {
                _ if body.contains("E9001") => true,
                429 | 503 if put_off => true,
                401 | 300..400 => true,
                // With E9000 the service had begun to work when it failed.
                400..500 => !body.contains("E9000"),
                _ => false,
            }
        }
    }
}

/// What becomes of one attempt, and after how long.
fn event(script: &mut Script<'_>, sent: Now) -> (Duration, Result<Response<Bytes>, FaultKind>) {
    const FAULTS: &[FaultKind] = &[
        FaultKind::NotSent,
        FaultKind::Interrupted,
        FaultKind::TimedOut,
        FaultKind::BodyTooLarge,
    ];
    const STATUSES: &[u16] = &[
        200, 401, 503, 500, 429, 404, 204, 202, 400, 409, 502, 504, 302, 501, 201, 403,
    ];
    const BODIES: &[&str] = &[
        "",
        "{}",
        "[]",
        r#"{"name":"logs","status":"Started"}"#,
        r#"{"error":"E18641: no such workflow"}"#,
        r#"{"error":"E18124: creating"}"#,
        r#"{"error":"E9000: internal"}"#,
        r#"{"error":"E9001: not built"}"#,
        r#"{"error":"bad token"}"#,
        r#"{"error":"#,
        "<html>",
    ];
    let latency = script.span();
    let kind = script.byte();
    if kind.is_multiple_of(4) {
        return (latency, Err(script.choose(FAULTS)));
    }
    let body = Bytes::from_static(script.choose(BODIES).as_bytes());
    let mut response = Response::new(body);
    let status = script.choose(STATUSES);
    *response.status_mut() = StatusCode::from_u16(status).expect("the statuses are legal");
    let mut insert = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    if kind & 4 != 0 {
        let value = script.choose(&["0", "1", "7", "99999999999999999999", "soon", ""]);
        insert(RETRY_AFTER, value);
    }
    if kind & 8 != 0 {
        insert(RETRY_AFTER, &http_date(sent.wall + Duration::from_secs(20)));
    }
    if kind & 16 != 0 {
        let ahead = Duration::from_secs(script.choose(&[0, 200, 260, 1200, 100_000]));
        insert(
            DATE,
            &http_date(sent.wall.checked_add(ahead).unwrap_or(sent.wall)),
        );
    } else if kind & 32 != 0 {
        let behind = Duration::from_secs(script.choose(&[0, 200, 260, 1200, 100_000]));
        insert(
            DATE,
            &http_date(sent.wall.checked_sub(behind).unwrap_or(sent.wall)),
        );
    }
    if kind & 64 != 0 {
        insert(AGE, "1");
    }
    (latency, Ok(response))
}

/// IMF-fixdate, of a time that is moved into the years that it can express.
fn http_date(time: SystemTime) -> String {
    let latest = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    httpdate::fmt_http_date(time.clamp(UNIX_EPOCH, latest))
}
