//! The core in a process without any IO but lines: it writes the request that it wants sent, and reads what came of
//! it. It asks for no time either; the host says it in each line. So it runs where there is no socket and no clock, as
//! in WebAssembly: `node/host.mjs` is a host for it, in Node.
//!
//! The host says `{"now": [wall, mono], …}`, both in milliseconds: first with `endpoint`, `access_key` and
//! `secret_key` or `token`; then with `status`, `headers` and `body` of a response, or with `fault`; then after a wait.

use std::{
    error::Error,
    io::{self, Write as _},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    Auth, Call, CallOptions, Context, Credentials, Fault, FaultKind, Next, Now, Operation, Token,
    resource::workflow::ListWorkflows,
};
use serde_json::{Value, json};

struct Host {
    lines: io::Lines<io::StdinLock<'static>>,
    now: Now,
}

impl Host {
    /// Says something to the host, and waits for what it says.
    fn ask(&mut self, said: &Value) -> Result<Value, Box<dyn Error>> {
        if !said.is_null() {
            writeln!(io::stdout(), "{said}")?;
            io::stdout().flush()?;
        }
        let line = self.lines.next().ok_or("the host has gone")??;
        let heard: Value = serde_json::from_str(&line)?;
        let time = |at: usize| heard["now"][at].as_u64().map(Duration::from_millis);
        let (wall, mono) = time(0).zip(time(1)).ok_or("the host says no time")?;
        self.now = Now::new(SystemTime::UNIX_EPOCH + wall, mono);
        Ok(heard)
    }

    fn send<O: Operation>(
        &mut self,
        context: &Context,
        operation: O,
    ) -> Result<O::Output, Box<dyn Error>> {
        let mut attempt = Call::new(context, operation, CallOptions::new())?.start(self.now);
        loop {
            let (request, in_flight) = attempt.send();
            let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
                Some(json!([name.as_str(), value.to_str().ok()?]))
            };
            let came = self.ask(&json!({
                "method": request.method().as_str(),
                "url": request.uri().to_string(),
                "headers": request.headers().iter().filter_map(header).collect::<Value>(),
                "body": String::from_utf8_lossy(request.body()),
                "timeout": u64::try_from(in_flight.timeout().as_millis())?,
            }))?;
            let next = match came["fault"].as_str() {
                None => in_flight.on_response(response(&came)?, self.now),
                Some(fault) => in_flight.on_fault(Fault::new(kind(fault)), self.now),
            };
            match next {
                Next::Done(result) => return Ok(result?),
                Next::Retry(backoff) => {
                    self.ask(&json!({"wait": u64::try_from(backoff.delay().as_millis())?}))?;
                    attempt = backoff.resume(self.now)?;
                }
            }
        }
    }
}

fn response(came: &Value) -> Result<Response<Bytes>, Box<dyn Error>> {
    let status = u16::try_from(came["status"].as_u64().ok_or("there is no status")?)?;
    let mut response = Response::builder().status(status);
    for header in came["headers"].as_array().into_iter().flatten() {
        if let (Some(name), Some(value)) = (header[0].as_str(), header[1].as_str()) {
            response = response.header(name, value);
        }
    }
    let body = came["body"].as_str().unwrap_or_default().to_owned();
    Ok(response.body(Bytes::from(body))?)
}

/// What a host does not know to be otherwise may have been sent.
fn kind(fault: &str) -> FaultKind {
    match fault {
        "not sent" => FaultKind::NotSent,
        "timed out" => FaultKind::TimedOut,
        _ => FaultKind::Interrupted,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut host = Host {
        lines: io::stdin().lines(),
        now: Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO),
    };
    let settings = host.ask(&Value::Null)?;
    let text = |name: &str| settings[name].as_str();
    let auth: Auth = match text("token") {
        Some(token) => token.parse::<Token>()?.into(),
        None => Credentials::new(
            text("access_key").unwrap_or_default(),
            text("secret_key").unwrap_or_default(),
        )?
        .into(),
    };
    let context = Context::builder().endpoint(text("endpoint").unwrap_or_default().parse()?);
    let context = context.auth(auth).build();
    for workflow in host.send(&context, ListWorkflows::new())? {
        println!(
            "{}",
            json!({"line": format!("{} {}", workflow.name, workflow.status)})
        );
    }
    Ok(())
}
