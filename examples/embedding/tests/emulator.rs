//! The runtime against the emulator of the service, over real HTTP with real signatures.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    thread,
    time::{Duration, SystemTime},
};

use pipeline_embedding_example::Runtime;
use pipeline_emulator::{
    DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY, Emulator, InjectedFault,
    server::{Server, ServerThread},
};
use pipeline_proto::{
    Call, CallOptions, Context, ContextBuilder, Credentials, Effect, ErrorCode, ErrorKind, Next,
    Now, WorkflowName,
    resource::workflow::{CreateWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows},
};

fn emulator() -> ServerThread {
    Server::on_loopback(Emulator::builder().build()).unwrap()
}

fn context(url: &str) -> ContextBuilder {
    let keys = Credentials::new(DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY).unwrap();
    Context::builder()
        .endpoint(url.parse().unwrap())
        .credentials(keys)
}

fn name(number: u32) -> WorkflowName {
    format!("workflow_{number:02}").parse().unwrap()
}

/// Creates workflows, all at once.
fn create(server: &ServerThread, count: u32) {
    let mut runtime = Runtime::new(context(&server.url()).build()).unwrap();
    let handles: Vec<_> = (0..count)
        .map(|number| {
            let create = CreateWorkflow::new(name(number));
            runtime.spawn(create, CallOptions::new()).unwrap()
        })
        .collect();
    runtime.run();
    for handle in handles {
        handle.take().unwrap().unwrap();
    }
}

#[test]
fn the_program_shows_all_workflows_whatever_the_network_does() {
    let server = emulator();
    create(&server, 20);
    server.with(|emulator| {
        emulator.inject(InjectedFault::pass().reset().on("list_workflows"));
        emulator.inject(
            InjectedFault::status(503_u16.try_into().unwrap())
                .on("get_workflow_status")
                .times(2),
        );
        emulator.inject(
            InjectedFault::pass()
                .truncate_at(10)
                .on("get_workflow_status"),
        );
    });
    let output = Command::new(env!("CARGO_BIN_EXE_pipeline-embedding-example"))
        .env_clear()
        .env("PANDORA_ENDPOINT", server.url())
        .env("PANDORA_ACCESS_KEY", DEVELOPMENT_ACCESS_KEY)
        .env("PANDORA_SECRET_KEY", DEVELOPMENT_SECRET_KEY)
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let expected: Vec<_> = (0..20)
        .map(|number| format!("{:16} Ready", name(number)))
        .collect();
    assert_eq!(
        shown.lines().collect::<Vec<_>>(),
        expected,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    server.with(|emulator| {
        assert!(emulator.faults().all(|fault| fault.left() == Some(0)));
        // The list was asked for twice, and of the 20 states three once more.
        let of = |kind| {
            emulator
                .requests()
                .filter(|request| request.operation == Some(kind))
                .count()
        };
        assert_eq!((of("list_workflows"), of("get_workflow_status")), (2, 23));
    });
}

/// A server that answers nobody before it has heard everybody: calls one after the other would
/// never end.
#[test]
fn all_calls_are_under_way_at_once() {
    const CALLS: u32 = 8;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut streams = Vec::new();
        for _ in 0..CALLS {
            let mut stream = listener.accept().unwrap().0;
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            streams.push(stream);
        }
        for stream in &mut streams {
            stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
                )
                .unwrap();
        }
    });
    let mut runtime = Runtime::new(context(&url).build()).unwrap();
    let handles: Vec<_> = (0..CALLS)
        .map(|_| {
            runtime
                .spawn(ListWorkflows::new(), CallOptions::new())
                .unwrap()
        })
        .collect();
    runtime.run();
    for handle in handles {
        assert!(handle.take().unwrap().unwrap().is_empty());
    }
    server.join().unwrap();
}

#[test]
fn what_may_have_worked_is_not_repeated_and_the_error_says_so() {
    let server = emulator();
    let lost = InjectedFault::pass().reset().on("create_workflow");
    server.with(|emulator| emulator.inject(lost));
    let mut runtime = Runtime::new(context(&server.url()).build()).unwrap();
    let created = runtime
        .spawn(CreateWorkflow::new(name(0)), CallOptions::new())
        .unwrap();
    runtime.run();
    let error = created.take().unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.effect(), error.attempts()),
        (ErrorKind::Network, Effect::Possible, 1)
    );
    let got = runtime
        .spawn(GetWorkflow::new(name(0)), CallOptions::new())
        .unwrap();
    runtime.run();
    assert_eq!(got.take().unwrap().unwrap().name, "workflow_00");
}

#[test]
fn one_slow_answer_holds_nobody_up_and_ends_in_time() {
    let server = emulator();
    create(&server, 2);
    let slow = InjectedFault::pass()
        .latency(Duration::from_secs(3600))
        .on("get_workflow_status")
        .on_workflow("workflow_00")
        .always();
    server.with(|emulator| emulator.inject(slow));
    let context = context(&server.url()).attempt_timeout(Duration::from_millis(100));
    let mut runtime = Runtime::new(context.build()).unwrap();
    let mut ask = |number| {
        let status = GetWorkflowStatus::new(name(number));
        runtime.spawn(status, CallOptions::new()).unwrap()
    };
    let (slow, quick) = (ask(0), ask(1));
    runtime.run();
    let error = slow.take().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 3));
    assert!(quick.take().unwrap().is_ok());
}

#[test]
fn tls_is_refused_rather_than_left_out() {
    let error = Runtime::new(context("https://pipeline.example").build()).err();
    assert!(error.unwrap().to_string().contains("no TLS"));
}

/// What a transport does that sends a request again without saying so. Nothing can be done about it from
/// outside, which is why the guide warns of it.
#[test]
fn a_transport_that_resends_by_itself_hides_that_a_create_was_done() {
    let mut emulator = Emulator::builder().build();
    let context = context("http://pipeline.test").build();
    let now = Now::new(SystemTime::now(), Duration::ZERO);
    let create = CreateWorkflow::new(name(1));
    let attempt = Call::new(&context, create, CallOptions::new());
    let (request, in_flight) = attempt.unwrap().start(now).send();
    let lost = emulator.handle(request.clone(), now);
    assert_eq!(lost.status(), 200);
    let Next::Done(result) = in_flight.on_response(emulator.handle(request, now), now) else {
        panic!("a create is not sent again");
    };
    let error = result.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::WORKFLOW_EXISTS));
    assert_eq!(error.effect(), Effect::None);
}
