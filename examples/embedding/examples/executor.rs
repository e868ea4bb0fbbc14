//! The core on an executor as on a small device: no runtime, no threads, no allocation of tasks. All futures are
//! polled in turns, and between two rounds it rests until the first moment that one of them waits for.
//!
//! `cargo run -p pipeline-embedding-example --example executor`, with `PANDORA_ENDPOINT`, `PANDORA_ACCESS_KEY` and
//! `PANDORA_SECRET_KEY`, shows two things at once: the workflows, and the message queues.

use std::{
    cell::{Cell, RefCell},
    env,
    error::Error,
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::{Pin, pin},
    task::{self, Poll, Waker},
    thread,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use http::{Request, Response};
use pipeline_embedding_example::{Exchange, resolve};
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, Fault, Next, Now, Operation,
    resource::{repo::ListRepos, workflow::ListWorkflows},
};

/// How often a socket is looked at. A device has an interrupt for it.
const LOOK: Duration = Duration::from_millis(1);

/// Time, and the next moment at which somebody wants to be polled.
struct Executor {
    started: Instant,
    alarm: Cell<Option<Duration>>,
}

impl Executor {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            alarm: Cell::new(None),
        }
    }

    fn now(&self) -> Now {
        Now::new(SystemTime::now(), self.started.elapsed())
    }

    /// Not ready before this moment.
    fn until<T>(&self, moment: Duration) -> Poll<T> {
        let first = self.alarm.get().map_or(moment, |alarm| alarm.min(moment));
        self.alarm.set(Some(first));
        Poll::Pending
    }

    async fn sleep(&self, time: Duration) {
        let end = self.now().mono.saturating_add(time);
        poll_fn(|_| {
            if self.now().mono < end {
                self.until(end)
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }

    /// Polls all until all are done.
    fn run(&self, tasks: &mut [Pin<&mut dyn Future<Output = ()>>]) {
        // Everybody is polled in each round, so there is nobody to wake.
        let mut context = task::Context::from_waker(Waker::noop());
        let mut open: Vec<_> = tasks.iter_mut().collect();
        loop {
            open.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
            if open.is_empty() {
                return;
            }
            // A device would wait for an interrupt here.
            let alarm = self.alarm.take().unwrap_or_default();
            thread::sleep(alarm.saturating_sub(self.now().mono));
        }
    }
}

struct Client<'a> {
    executor: &'a Executor,
    context: Context,
    address: SocketAddr,
}

impl Client<'_> {
    async fn send<O: Operation>(&self, operation: O) -> Result<O::Output, pipeline_proto::Error> {
        let now = || self.executor.now();
        // Without a seed, all devices of a kind would come back at the same moment.
        let options = CallOptions::new().seed(u64::from(now().mono.subsec_nanos()));
        let mut attempt = Call::new(&self.context, operation, options)?.start(now());
        loop {
            let (request, in_flight) = attempt.send();
            let next = match self.exchange(request, in_flight.timeout()).await {
                Ok(response) => in_flight.on_response(response, now()),
                Err(fault) => in_flight.on_fault(fault, now()),
            };
            match next {
                Next::Done(result) => return result,
                Next::Retry(backoff) => {
                    self.executor.sleep(backoff.delay()).await;
                    attempt = backoff.resume(now())?;
                }
            }
        }
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        let mut exchange = Exchange::begin(self.address, &request, timeout)?;
        let end = self.executor.now().mono.saturating_add(timeout);
        poll_fn(|_| match exchange.advance() {
            Some(came) => Poll::Ready(came),
            None if self.executor.now().mono >= end => Poll::Ready(Err(exchange.timed_out())),
            None => self.executor.until(self.executor.now().mono + LOOK),
        })
        .await
    }
}

fn show(context: Context) -> Result<Vec<String>, Box<dyn Error>> {
    let executor = Executor::new();
    let client = Client {
        address: resolve(&context)?,
        executor: &executor,
        context,
    };
    let lines = RefCell::new(Vec::new());
    let say = |line: String| lines.borrow_mut().push(line);
    let workflows = pin!(async {
        match client.send(ListWorkflows::new()).await {
            Ok(all) => all
                .iter()
                .for_each(|it| say(format!("{} {}", it.name, it.status))),
            Err(error) => say(error.to_string()),
        }
    });
    let repos = pin!(async {
        match client.send(ListRepos::new()).await {
            Ok(all) => say(format!("{} message queues", all.len())),
            Err(error) => say(error.to_string()),
        }
    });
    executor.run(&mut [workflows, repos]);
    Ok(lines.take())
}

fn main() -> Result<(), Box<dyn Error>> {
    let keys = Credentials::new(
        env::var("PANDORA_ACCESS_KEY")?,
        env::var("PANDORA_SECRET_KEY")?,
    )?;
    let context = Context::builder().endpoint(env::var("PANDORA_ENDPOINT")?.parse()?);
    for line in show(context.credentials(keys).build())? {
        println!("{line}");
    }
    Ok(())
}

#[test]
fn it_runs_against_the_emulator_and_comes_back_after_a_failure() {
    use pipeline_emulator::{
        DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY, Emulator, InjectedFault, server::Server,
    };
    use pipeline_proto::{WorkflowName, resource::workflow::CreateWorkflow};

    let server = Server::on_loopback(Emulator::builder().build()).unwrap();
    let failure = InjectedFault::status(503_u16.try_into().unwrap()).on("list_workflows");
    server.with(|emulator| emulator.inject(failure));
    let keys = Credentials::new(DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY).unwrap();
    let context = Context::builder().endpoint(server.url().parse().unwrap());
    let context = context.credentials(keys).build();
    let executor = Executor::new();
    let client = Client {
        address: server.addr(),
        executor: &executor,
        context: context.clone(),
    };
    let create = pin!(async {
        let create = CreateWorkflow::new(WorkflowName::from_static("clicks"));
        client.send(create).await.unwrap();
    });
    executor.run(&mut [create]);
    // While the one waits to be sent again, the other is answered.
    assert_eq!(show(context).unwrap(), ["0 message queues", "clicks Ready"]);
}
