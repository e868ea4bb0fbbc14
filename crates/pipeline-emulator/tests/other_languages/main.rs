//! A client in another language, of nothing but its standard library: nobody's signer, nobody's models.

use std::process::{Command, Stdio};

use pipeline_emulator::{
    DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY, Emulator, Transition, server::Server,
};

#[test]
fn a_python_program_makes_uses_and_deletes_every_kind_of_resource() {
    let version = Command::new("python3").arg("--version").output();
    if !version.is_ok_and(|it| it.status.success()) {
        eprintln!("not run: there is no python3");
        return;
    }
    let emulator = Emulator::builder().transitions(Transition::Immediate);
    let server = Server::on_loopback(emulator.build()).unwrap();
    let program = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/other_languages/client.py"
    );
    let output = Command::new("python3")
        .args(["-B", program, &server.addr().port().to_string()])
        .args([DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // It counts them, so that none of its requests was another's.
    let sent: usize = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .unwrap();
    let seen = server.with(|emulator| emulator.requests().count());
    assert!(sent > 80, "{sent}");
    assert_eq!(sent, seen);
}
