//! Both drivers of the shipper, against the emulator.

mod free;

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use http::StatusCode;
use pipeline_conformance::{BlockingDriver, Driver as _, HyperDriver};
use pipeline_emulator::{
    Authentication, Emulator, InjectedFault,
    server::{Server, ServerThread},
};
use pipeline_proto::{ErrorCode, RetryPolicy, resource::schema::Schema};
use pipeline_shipper::{Books, Outcome, Reason, SendError, Settings, Verdict, WhyNot};
use serde::Serialize;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

/// A shipper of either client, for the queue `clicks`.
trait Ships: Sized + Clone + Send + 'static {
    fn start(
        url: &str,
        settings: Settings,
        tell: impl Fn(Verdict<u64>) + Send + Sync + 'static,
    ) -> Self;
    fn try_send(&self, id: u64, click: &Click) -> Result<(), SendError>;
    fn send<T: Serialize>(&self, id: u64, record: &T) -> Result<(), SendError>;
    fn send_lines(
        &self,
        lines: impl Iterator<Item = (u64, &'static [u8])>,
    ) -> Result<(), SendError>;
    fn flush(&self);
    fn close(&self, time: Duration) -> Books;
    fn books(&self) -> Books;
}

#[derive(Serialize)]
struct Click {
    n: u64,
    bytes: &'static str,
}

/// One that fits the schema.
fn click(n: u64) -> Click {
    Click { n, bytes: "7" }
}

fn schema() -> Schema {
    "n long, bytes long".parse().unwrap()
}

#[derive(Clone)]
struct Blocking(pipeline_blocking::Shipper<u64>);

fn client(url: &str) -> pipeline_blocking::Client {
    BlockingDriver::new(url, |it| it).0
}

fn create_queue(url: &str) {
    let create = client(url).create_repo("clicks", schema());
    create.send().unwrap();
}

impl Ships for Blocking {
    fn start(
        url: &str,
        settings: Settings,
        tell: impl Fn(Verdict<u64>) + Send + Sync + 'static,
    ) -> Self {
        let shipper = client(url).shipper("clicks").settings(settings);
        Self(shipper.start(tell).unwrap())
    }

    fn try_send(&self, id: u64, click: &Click) -> Result<(), SendError> {
        self.0.try_send_with(id, click)
    }

    fn send<T: Serialize>(&self, id: u64, record: &T) -> Result<(), SendError> {
        self.0.send_with(id, record)
    }

    fn send_lines(
        &self,
        lines: impl Iterator<Item = (u64, &'static [u8])>,
    ) -> Result<(), SendError> {
        self.0.send_lines(lines)
    }

    fn flush(&self) {
        self.0.flush();
    }

    fn close(&self, time: Duration) -> Books {
        self.0.close(time)
    }

    fn books(&self) -> Books {
        self.0.books()
    }
}

/// The shipper goes before its runtime.
#[derive(Clone)]
struct Hyper(pipeline_hyper::Shipper<u64>, Arc<Runtime>);

impl Ships for Hyper {
    fn start(
        url: &str,
        settings: Settings,
        tell: impl Fn(Verdict<u64>) + Send + Sync + 'static,
    ) -> Self {
        let mut runtime = Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let client = HyperDriver::new(url, |it| it).client;
        let shipper = client.shipper("clicks").settings(settings);
        let shipper = runtime.block_on(async { shipper.start(tell) });
        Self(shipper.unwrap(), Arc::new(runtime))
    }

    fn try_send(&self, id: u64, click: &Click) -> Result<(), SendError> {
        self.0.try_send_with(id, click)
    }

    fn send<T: Serialize>(&self, id: u64, record: &T) -> Result<(), SendError> {
        self.1.block_on(self.0.send_with(id, record))
    }

    fn send_lines(
        &self,
        lines: impl Iterator<Item = (u64, &'static [u8])>,
    ) -> Result<(), SendError> {
        self.1.block_on(self.0.send_lines(lines))
    }

    fn flush(&self) {
        self.1.block_on(self.0.flush());
    }

    fn close(&self, time: Duration) -> Books {
        self.1.block_on(self.0.close(time))
    }

    fn books(&self) -> Books {
        self.0.books()
    }
}

/// What was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Verdict<u64>>>>);

impl Told {
    fn teller(&self) -> impl Fn(Verdict<u64>) + Send + Sync + 'static {
        let told = Arc::clone(&self.0);
        move |verdict| told.lock().unwrap().push(verdict)
    }

    fn ids(&self, is_such: impl Fn(&Outcome) -> bool) -> Vec<u64> {
        let told = self.0.lock().unwrap();
        let such = told.iter().filter(|verdict| is_such(&verdict.outcome));
        such.map(|verdict| verdict.id).collect()
    }

    fn accepted(&self) -> Vec<u64> {
        self.ids(|outcome| matches!(outcome, Outcome::Accepted))
    }

    fn given_up(&self) -> Vec<u64> {
        self.ids(|outcome| matches!(outcome, Outcome::GivenUp(Reason::Closed(_))))
    }
}

fn emulator() -> ServerThread {
    let emulator = Emulator::builder().authentication(Authentication::Off);
    Server::on_loopback(emulator.build()).unwrap()
}

fn settings() -> Settings {
    let back_off = RetryPolicy::default().base_delay(Duration::from_millis(1));
    Settings::new().back_off(back_off.max_delay(Duration::from_millis(5)))
}

fn in_queue(server: &ServerThread) -> u64 {
    server.with(|emulator| emulator.queues().map(|queue| queue.records).sum())
}

const MINUTE: Duration = Duration::from_secs(60);

/// Runs tests with both.
macro_rules! suite {
    ($($test:ident)*) => {
        mod blocking {
            $(#[test] fn $test() { super::$test::<super::Blocking>(); })*
        }
        mod hyper {
            $(#[test] fn $test() { super::$test::<super::Hyper>(); })*
        }
    };
}
use suite;

suite! {
    what_is_sent_arrives_compressed_and_every_record_is_told_of
    handles_of_several_threads_fill_one_queue
    lines_go_together_in_their_order_as_soon_as_there_is_room
    bad_records_are_dead_with_the_reason_and_the_rest_arrives_in_order
    faults_that_pass_lose_nothing
    a_missing_queue_is_said_for_every_record
    a_full_shipper_refuses_or_lets_wait
    closing_gives_back_what_a_silent_service_has_not_confirmed
    dropping_the_last_handle_tells_what_was_lost
    whoever_is_told_may_send
    nobody_waits_for_a_function_that_panicked
}

fn what_is_sent_arrives_compressed_and_every_record_is_told_of<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    create_queue(&server.url());
    let shipper = S::start(
        &server.url(),
        settings().batch_records(100).gzip(3),
        told.teller(),
    );
    for n in 0..250 {
        shipper.send(n, &click(n)).unwrap();
    }
    shipper.flush();
    let mut accepted = told.accepted();
    accepted.sort_unstable();
    assert_eq!(accepted, (0..250).collect::<Vec<_>>());
    assert_eq!(
        (in_queue(&server), shipper.books().pending.records),
        (250, 0)
    );
    let books = shipper.close(MINUTE);
    assert_eq!((books.accepted, books.requests), (books.read, 3));
    let refused = shipper.send(0, &click(0));
    assert!(matches!(refused, Err(SendError::NotTaken(WhyNot::Closed))));
}

fn handles_of_several_threads_fill_one_queue<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    create_queue(&server.url());
    let settings = settings().memory(20_000).linger(Duration::from_millis(1));
    let shipper = S::start(&server.url(), settings.in_flight(3), told.teller());
    let threads = (0..4).map(|thread| {
        let shipper = shipper.clone();
        thread::spawn(move || {
            for n in 0..500 {
                shipper.send(1000 * thread + n, &click(n)).unwrap();
            }
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap();
    }
    let books = shipper.close(MINUTE);
    assert_eq!((books.accepted.records, in_queue(&server)), (2000, 2000));
    assert_eq!(told.accepted().len(), 2000);
}

fn lines_go_together_in_their_order_as_soon_as_there_is_room<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    create_queue(&server.url());
    let settings = settings().memory(2_000).ordered(true);
    let shipper = S::start(&server.url(), settings, told.teller());
    let lines = || (0..1_000).map(|n| (n, &b"n=1\n"[..]));
    shipper.send_lines(lines()).unwrap();
    shipper.close(MINUTE);
    assert_eq!(told.accepted(), (0..1_000).collect::<Vec<_>>());
    assert_eq!(in_queue(&server), 1_000);
    // The one that was asked for comes back, and the others are not asked for.
    let mut rest = lines();
    let refused = shipper.send_lines(rest.by_ref());
    assert!(matches!(refused, Err(SendError::NotTaken(WhyNot::Closed))));
    assert_eq!(rest.next().unwrap().0, 1);
}

fn bad_records_are_dead_with_the_reason_and_the_rest_arrives_in_order<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    create_queue(&server.url());
    let shipper = S::start(&server.url(), settings().ordered(true), told.teller());
    for n in 0..50 {
        let bytes = if n % 20 == 3 { "many" } else { "7" };
        shipper.send(n, &Click { n, bytes }).unwrap();
    }
    let books = shipper.close(MINUTE);
    assert_eq!((books.dead.records, in_queue(&server)), (3, 47));
    assert!(books.requests <= 2 * 3 * (6 + 1) + 1);
    assert!(told.accepted().is_sorted());
    let told = told.0.lock().unwrap();
    for dead in told.iter().filter(|verdict| !verdict.is_accepted()) {
        assert_eq!(dead.line, format!("n={}\tbytes=many\n", dead.id));
        let api = dead.reason().unwrap().api().unwrap();
        assert_eq!(api.code(), Some(ErrorCode::INVALID_FIELD_FORMAT));
        assert!(api.request_id().is_some());
    }
}

fn faults_that_pass_lose_nothing<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    create_queue(&server.url());
    server.with(|emulator| {
        for fault in [
            InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE).times(3),
            InjectedFault::status(StatusCode::BAD_GATEWAY).after_effect(),
            InjectedFault::pass().reset(),
            InjectedFault::code(ErrorCode::REPO_BEING_CREATED),
            InjectedFault::status(StatusCode::PAYLOAD_TOO_LARGE),
        ] {
            emulator.inject(fault.on("push_points"));
        }
    });
    let shipper = S::start(&server.url(), settings().batch_records(10), told.teller());
    for n in 0..100 {
        shipper.send(n, &click(n)).unwrap();
    }
    let books = shipper.close(MINUTE);
    assert_eq!((books.accepted.records, told.accepted().len()), (100, 100));
    // Twice those whose requests took effect before they failed.
    assert_eq!(in_queue(&server), 120);
    assert_eq!((books.retries, books.halved), (7, 0));
}

fn a_missing_queue_is_said_for_every_record<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    let shipper = S::start(&server.url(), settings(), told.teller());
    shipper.send(1, &click(1)).unwrap();
    shipper.send(2, &click(2)).unwrap();
    shipper.flush();
    let told = told.0.lock().unwrap();
    assert_eq!(told.len(), 2);
    for verdict in told.iter() {
        let Outcome::Dead(Reason::NotWelcome(error)) = &verdict.outcome else {
            panic!("{verdict:?}");
        };
        assert_eq!(error.code(), Some(ErrorCode::REPO_NOT_FOUND));
    }
}

fn a_full_shipper_refuses_or_lets_wait<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    let settings = settings().memory(500).hold_refused(true);
    let shipper = S::start(&server.url(), settings, told.teller());
    // There is no queue yet, so nothing goes.
    let mut n = 0;
    let refused = loop {
        match shipper.try_send(n, &click(n)) {
            Ok(()) => n += 1,
            Err(error) => break error,
        }
    };
    assert!(n > 3);
    assert!(matches!(refused, SendError::NotTaken(WhyNot::Full(_))));
    let waiting = {
        let shipper = shipper.clone();
        thread::spawn(move || shipper.send(n, &click(n)))
    };
    create_queue(&server.url());
    waiting.join().unwrap().unwrap();
    assert_eq!(shipper.close(MINUTE).accepted.records, n + 1);
    assert_eq!(in_queue(&server), n + 1);
}

fn closing_gives_back_what_a_silent_service_has_not_confirmed<S: Ships>() {
    // Connections are made, and nobody reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let told = Told::default();
    let shipper = S::start(&url, settings().batch_records(2), told.teller());
    for n in 0..9 {
        shipper.send(n, &click(n)).unwrap();
    }
    // All who send are busy, for longer than this.
    let books = shipper.close(Duration::from_millis(50));
    assert_eq!((books.given_up.records, books.pending.records), (9, 0));
    let mut given_up = told.given_up();
    given_up.sort_unstable();
    assert_eq!(given_up, (0..9).collect::<Vec<_>>());
    let told = told.0.lock().unwrap();
    assert!(
        told.iter()
            .all(|it| it.line == format!("n={}\tbytes=7\n", it.id))
    );
}

fn dropping_the_last_handle_tells_what_was_lost<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    let settings = settings().linger(Duration::from_secs(3600));
    let shipper = S::start(&server.url(), settings, told.teller());
    let other = shipper.clone();
    for n in 0..3 {
        shipper.send(n, &click(n)).unwrap();
    }
    drop(shipper);
    assert!(told.given_up().is_empty());
    drop(other);
    assert_eq!(told.given_up(), [0, 1, 2]);
}

fn whoever_is_told_may_send<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    create_queue(&server.url());
    let shipper = Arc::new(Mutex::new(None::<S>));
    let (again, teller) = (Arc::downgrade(&shipper), told.teller());
    let started = S::start(&server.url(), settings(), move |verdict| {
        let shipper = again.upgrade().and_then(|it| it.lock().unwrap().clone());
        if verdict.id < 5
            && let Some(shipper) = shipper
        {
            shipper.try_send(verdict.id + 1, &click(7)).unwrap();
        }
        teller(verdict);
    });
    *shipper.lock().unwrap() = Some(started.clone());
    started.send(0, &click(0)).unwrap();
    for _ in 0..6 {
        started.flush();
    }
    assert_eq!(told.accepted(), (0..6).collect::<Vec<_>>());
    started.close(MINUTE);
    assert_eq!(in_queue(&server), 6);
}

fn nobody_waits_for_a_function_that_panicked<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    create_queue(&server.url());
    let teller = told.teller();
    let shipper = S::start(&server.url(), settings().batch_records(1), move |verdict| {
        assert_ne!(verdict.id, 0, "a panic that the test wants");
        teller(verdict);
    });
    shipper.send(0, &click(0)).unwrap();
    shipper.flush();
    // It is taken until the one that panicked has gone.
    let taken = u64::from(shipper.send(1, &click(1)).is_ok());
    shipper.flush();
    let books = shipper.close(MINUTE);
    assert_eq!((books.read.records, books.pending.records), (1 + taken, 0));
    assert_eq!(
        told.0.lock().unwrap().len(),
        usize::try_from(taken).unwrap()
    );
}

#[test]
fn when_the_runtime_goes_what_is_left_is_given_up() {
    let (server, told) = (emulator(), Told::default());
    let Hyper(shipper, runtime) = Hyper::start(&server.url(), settings(), told.teller());
    for n in 0..3 {
        shipper.try_send_with(n, &click(n)).unwrap();
    }
    drop(Arc::into_inner(runtime).unwrap());
    let refused = shipper.try_send_with(3, &click(3));
    assert!(matches!(refused, Err(SendError::NotTaken(WhyNot::Closed))));
    drop(shipper);
    assert_eq!(told.given_up(), [0, 1, 2]);
}
