//! Both clients, shipping from a buffer on the disk.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use pipeline_conformance::{BlockingDriver, Driver as _, HyperDriver};
use pipeline_emulator::{
    Authentication, Emulator,
    server::{Server, ServerThread},
};
use pipeline_proto::resource::schema::Schema;
use pipeline_shipper::{
    Books, Settings, Verdict,
    buffer::{self, Buffer, BufferErrorKind, Entry, PutError},
};
use tempfile::TempDir;

trait Ships: Sized {
    fn start(
        url: &str,
        settings: Settings,
        buffer: buffer::Settings,
        tell: impl Fn(Verdict<Entry>) + Send + Sync + 'static,
    ) -> Self;
    fn send(&self, line: &str) -> Result<u64, PutError>;
    fn flush(&self);
    fn close(&self, time: Duration) -> Books;
    fn buffer(&self) -> &Buffer;
}

fn client(url: &str) -> pipeline_blocking::Client {
    BlockingDriver::new(url, |it| it).0
}

struct Blocking(pipeline_blocking::BufferedShipper);

impl Ships for Blocking {
    fn start(
        url: &str,
        settings: Settings,
        buffer: buffer::Settings,
        tell: impl Fn(Verdict<Entry>) + Send + Sync + 'static,
    ) -> Self {
        let shipper = client(url).shipper("clicks").settings(settings);
        Self(shipper.buffer(buffer).start(tell).unwrap())
    }

    fn send(&self, line: &str) -> Result<u64, PutError> {
        self.0.send_line(line.as_bytes())
    }

    fn flush(&self) {
        self.0.flush().unwrap();
    }

    fn close(&self, time: Duration) -> Books {
        self.0.close(time).unwrap()
    }

    fn buffer(&self) -> &Buffer {
        self.0.buffer()
    }
}

struct Hyper(pipeline_hyper::BufferedShipper, tokio::runtime::Runtime);

impl Ships for Hyper {
    fn start(
        url: &str,
        settings: Settings,
        buffer: buffer::Settings,
        tell: impl Fn(Verdict<Entry>) + Send + Sync + 'static,
    ) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let client = HyperDriver::new(url, |it| it).client;
        let shipper = client.shipper("clicks").settings(settings);
        let shipper = runtime.block_on(async { shipper.buffer(buffer).start(tell) });
        Self(shipper.unwrap(), runtime)
    }

    fn send(&self, line: &str) -> Result<u64, PutError> {
        self.1.block_on(self.0.send_line(line.as_bytes()))
    }

    fn flush(&self) {
        self.1.block_on(self.0.flush()).unwrap();
    }

    fn close(&self, time: Duration) -> Books {
        self.1.block_on(self.0.close(time)).unwrap()
    }

    fn buffer(&self) -> &Buffer {
        self.0.buffer()
    }
}

fn service() -> ServerThread {
    let emulator = Emulator::builder().authentication(Authentication::Off);
    let server = Server::on_loopback(emulator.build()).unwrap();
    let schema: Schema = "n long".parse().unwrap();
    let create = client(&server.url()).create_repo("clicks", schema);
    create.send().unwrap();
    server
}

fn in_queue(server: &ServerThread) -> u64 {
    server.with(|emulator| emulator.queues().map(|queue| queue.records).sum())
}

fn quick() -> Settings {
    Settings::new().linger(Duration::from_millis(1))
}

fn what_is_left_is_shipped_by_the_next_one<S: Ships>() {
    let folder = TempDir::new().unwrap();
    let away = "http://127.0.0.1:1";
    let told = |verdict: Verdict<Entry>| panic!("{verdict:?}");
    let shipper = S::start(away, quick(), folder.path().into(), told);
    for n in 0..100 {
        assert_eq!(shipper.send(&format!("n={n}")).unwrap(), n);
    }
    let again = Buffer::open(folder.path(), &"clicks".parse().unwrap());
    assert_eq!(again.unwrap_err().kind(), BufferErrorKind::InUse);
    shipper.close(Duration::ZERO);
    assert!(shipper.send("n=1").is_err());
    drop(shipper);
    let server = service();
    let numbers = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&numbers);
    let shipper = S::start(
        &server.url(),
        quick(),
        folder.path().into(),
        move |verdict| {
            let dead = !verdict.is_accepted();
            assert_eq!(dead, verdict.id.number == 101, "{verdict:?}");
            assert!(seen.lock().unwrap().insert(verdict.id.number));
        },
    );
    assert_eq!(shipper.send("n=100").unwrap(), 100);
    assert_eq!(shipper.send("n=x").unwrap(), 101);
    shipper.flush();
    let stats = shipper.buffer().stats();
    assert_eq!(
        (stats.pending.records, stats.held < 100),
        (0, true),
        "{stats:?}"
    );
    let books = shipper.close(Duration::from_secs(5));
    assert_eq!((books.accepted.records, books.dead.records), (101, 1));
    assert!(numbers.lock().unwrap().iter().copied().eq(0..102));
    assert_eq!(in_queue(&server), 101);
    let look = buffer::look(folder.path(), 9).unwrap();
    assert_eq!(look[0].letters[0].record, b"n=x");
    assert_eq!(look[0].letters[0].code, "E18110");
}

fn nothing_is_lost_when_handles_are_dropped<S: Ships>() {
    let folder = TempDir::new().unwrap();
    let settings = |path: &Path| buffer::Settings::new(path).at_once(true);
    let shipper = S::start(
        "http://127.0.0.1:1",
        quick(),
        settings(folder.path()),
        |_| {},
    );
    for n in 0..50 {
        shipper.send(&format!("n={n}")).unwrap();
    }
    drop(shipper);
    let look = buffer::look(folder.path(), 0).unwrap();
    assert_eq!(look[0].stats.pending.records, 50);
}

macro_rules! both {
    ($($case:ident)+) => {
        mod blocking { $(#[test] fn $case() { super::$case::<super::Blocking>(); })+ }
        mod hyper { $(#[test] fn $case() { super::$case::<super::Hyper>(); })+ }
    };
}

both! {
    what_is_left_is_shipped_by_the_next_one
    nothing_is_lost_when_handles_are_dropped
}
