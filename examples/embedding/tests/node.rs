//! The core without sockets and clocks, hosted by Node: as a program of this machine, and in WebAssembly where
//! `cargo xtask test` has built that.

use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use http::Method;
use pipeline_embedding_example::Runtime;
use pipeline_emulator::{
    DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY, Emulator, InjectedFault, server::Server,
};
use pipeline_proto::{
    CallOptions, Context, Credentials, TokenDescriptor, UnixTime, WorkflowName,
    resource::workflow::CreateWorkflow,
};
use serde_json::{Value, json};

/// What a program shows, hosted with these settings.
fn hosted(program: &Path, settings: &Value) -> String {
    let mut host = Command::new("node")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/node/host.mjs"))
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = host.stdin.take().unwrap();
    write!(stdin, "{settings}").unwrap();
    drop(stdin);
    let output = host.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", program.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_program_without_sockets_and_clocks_is_hosted_by_node() {
    let version = Command::new("node").arg("--version").output();
    if !version.is_ok_and(|it| it.status.success()) {
        eprintln!("not run: there is no node");
        return;
    }
    let server = Server::on_loopback(Emulator::builder().build()).unwrap();
    let keys = Credentials::new(DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY).unwrap();
    let context = Context::builder().endpoint(server.url().parse().unwrap());
    let mut runtime = Runtime::new(context.credentials(keys.clone()).build()).unwrap();
    let create = CreateWorkflow::new(WorkflowName::from_static("clicks"));
    let created = runtime.spawn(create, CallOptions::new()).unwrap();
    runtime.run();
    created.take().unwrap().unwrap();

    let later = UnixTime::from_secs(4_102_444_800);
    let token = TokenDescriptor::new(&Method::GET, "/v2/workflows", later).mint(&keys);
    let mut programs = vec![PathBuf::from(env!("CARGO_BIN_EXE_lines"))];
    match env::var_os("LINES_WASM") {
        Some(program) => programs.push(program.into()),
        None => eprintln!("not run in WebAssembly: `cargo xtask test` builds it"),
    }
    for program in programs {
        // Once it has to wait and to send again, and once the connection breaks.
        for failure in [
            InjectedFault::status(503_u16.try_into().unwrap()),
            InjectedFault::pass().reset(),
        ] {
            server.with(|emulator| emulator.inject(failure.on("list_workflows")));
            let settings = json!({
                "endpoint": server.url(),
                "access_key": DEVELOPMENT_ACCESS_KEY,
                "secret_key": DEVELOPMENT_SECRET_KEY,
            });
            assert_eq!(hosted(&program, &settings), "clicks Ready\n");
        }
        let settings = json!({"endpoint": server.url(), "token": token.as_str()});
        assert_eq!(hosted(&program, &settings), "clicks Ready\n");
    }
    let lists = |emulator: &mut Emulator| {
        let requests = emulator.requests();
        requests
            .filter(|it| it.operation == Some("list_workflows"))
            .count()
    };
    assert_eq!(server.with(lists) % 5, 0);
}
