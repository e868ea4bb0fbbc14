//! Profiles, and which settings count.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::support::{
    ACCESS_KEY, Line, Ran, Run as _, SECRET_KEY, Service, pipeline, run_with_input, setting,
};

/// A configuration file that is gone with the value.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn command(&self, line: impl Line) -> Command {
        let mut command = pipeline(line);
        command.env("PANDORA_CONFIG_FILE", self.path());
        command
    }

    fn run(&self, line: impl Line) -> Ran {
        self.command(line).ran()
    }

    /// A profile with everything that a call to this service needs.
    fn with_profile(self, name: &str, service: &Service) -> Self {
        let set = |key: &str, value: &str| {
            self.run(&["config", "set", key, value, "--profile", name])
                .ok();
        };
        set("endpoint", &service.server.url());
        set("access_key", ACCESS_KEY);
        let command = self.command(&format!("config set secret_key --profile {name}"));
        run_with_input(command, SECRET_KEY.as_bytes()).ok();
        self
    }
}

#[test]
fn a_profile_is_all_that_a_call_needs() {
    let service = Service::new();
    let home = Home::new().with_profile("work", &service);
    // The first profile is the chosen one.
    home.run("workflow list").ok();
    home.run("workflow list --profile work").ok();
    assert_eq!(service.asked().len(), 2);
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let service = Service::new();
    let home = Home::new().with_profile("work", &service);
    let mode = || fs::metadata(home.path()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o640)).unwrap();
    home.run("workflow list")
        .fails(2, ["mode 640", "chmod 600"]);
    assert_eq!(service.asked(), [""; 0]);
}

#[test]
fn a_secret_goes_in_by_stdin_and_never_comes_out() {
    let service = Service::new();
    let home = Home::new().with_profile("work", &service);
    assert!(
        fs::read_to_string(home.path())
            .unwrap()
            .contains(SECRET_KEY)
    );
    // `Ran` looks for the secret in everything that is written.
    home.run("config get secret_key").failed(2);
    for form in ["table", "json", "yaml", "name"] {
        home.run(&format!("config list -o {form}")).ok();
        home.run(&format!("config explain -o {form}")).ok();
    }
    home.run("config set secret_key x")
        .fails(2, ["not taken as an argument"]);
}

#[test]
fn keys_are_not_mixed_from_the_environment_and_a_profile() {
    let service = Service::new();
    let home = Home::new().with_profile("work", &service);
    let mut half = home.command("workflow list");
    half.env("PANDORA_ACCESS_KEY", "other")
        .ran()
        .fails(4, ["set PANDORA_SECRET_KEY"]);
    // Both of them, or a profile that is named, are fine.
    let mut named = home.command("workflow list --profile work");
    named.env("PANDORA_ACCESS_KEY", "other").ran().ok();
    let mut token = home.command("config explain -o json");
    token.env("PANDORA_TOKEN", "a:b:c");
    let explained = token.ran().json();
    let token = setting(&explained, "token");
    assert_eq!(token["source"], "variable PANDORA_TOKEN");
    home.run("config unset access_key").ok();
    home.run("workflow list")
        .fails(4, ["pipeline config set access_key --profile work"]);
}

#[cfg(unix)]
#[test]
fn a_program_can_know_the_keys() {
    let service = Service::new();
    let home = Home::new().with_profile("work", &service);
    let set = |command: &str| {
        home.run(&["config", "set", "credential_process", command])
            .ok();
    };
    // It takes the place of the secret key.
    set(
        r#"printf '{"access_key":"%s","secret_key":"%s"}' access-key-for-tests canary-secret-5b1c0e"#,
    );
    let text = fs::read_to_string(home.path()).unwrap();
    assert!(!text.contains("\nsecret_key"), "{text}");
    home.run("workflow list").ok();
    for (command, says) in [
        ("exit 3", "exit status: 3"),
        ("echo hello", "must write a JSON object"),
        (r#"echo '{"access_key":"x"}'"#, "wrote no secret_key"),
        (r#"echo '{"token":"x"}'"#, "not a token"),
    ] {
        set(command);
        home.run("workflow list")
            .fails(2, ["credential_process of profile work", says]);
    }
    // Explaining runs nothing.
    set("exit 3");
    home.run("config explain").ok();
}
