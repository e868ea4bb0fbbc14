//! Odd surroundings: homes that are none, open files, programs that know the keys, names that are no text.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::support::{ACCESS_KEY, Ran, Run as _, SECRET_KEY, Service, pipeline};

fn write(folder: &TempDir, name: impl AsRef<OsStr>, text: &str, mode: u32) -> PathBuf {
    let path = folder.path().join(name.as_ref());
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn what_many_processes_set_and_unset_at_once_is_all_kept() {
    const EACH: usize = 15;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.toml");
    let link = folder.path().join("link.toml");
    symlink("config.toml", &link).unwrap();
    let config = |path: &Path, line: &str| {
        let mut command = pipeline(line);
        command
            .env("PANDORA_CONFIG_FILE", path)
            .stderr(Stdio::piped())
            .stdout(Stdio::piped());
        command
    };
    let lines = |action: &str, prefix: &str| -> Vec<String> {
        let one = |n| format!("config {action} --profile {prefix}{n}");
        (0..EACH).map(one).collect()
    };
    let at_once = |lines: Vec<String>| {
        let both = [&file, &link].into_iter().cycle();
        let children: Vec<_> = lines
            .iter()
            .zip(both)
            .map(|(line, path)| config(path, line).spawn().unwrap())
            .collect();
        for child in children {
            Ran::of(child.wait_with_output().unwrap()).ok();
        }
    };
    let set = "set access_key AK";
    at_once([lines(set, "old"), lines(set, "stays")].concat());
    at_once([lines("unset access_key", "old"), lines(set, "new")].concat());
    for n in 0..EACH {
        for (prefix, code) in [("old", 3), ("stays", 0), ("new", 0)] {
            let get = format!("config get access_key --profile {prefix}{n}");
            let ran = config(&link, &get).ran();
            assert_eq!(ran.code, Some(code), "{get}: {ran:?}");
        }
    }
    assert!(link.is_symlink());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn without_a_usable_home_everything_may_come_from_variables() {
    /// Nobody has it.
    const NO_ENTRY: u32 = 54_321;
    let service = Service::new().with_workflow("w");
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let missing = folder.path().join("missing/home");
    let with_line_end = folder.path().join("home\n");
    let command = |home: Option<&Path>, line: &str| {
        let mut command = service.command(line);
        command.env_remove("PANDORA_CONFIG_FILE");
        if let Some(home) = home {
            command.env("HOME", home);
        }
        command
    };
    let others = |home: Option<&Path>, line: &str| {
        let mut command = command(home, line);
        command.uid(NO_ENTRY).gid(NO_ENTRY).current_dir("/");
        command
    };
    let can_be_others = others(None, "--version")
        .output()
        .is_ok_and(|it| it.status.success());
    let homes = [
        None,
        Some(Path::new("/dev/null")),
        Some(Path::new("relative")),
        Some(Path::new("")),
        Some(&*missing),
        Some(&*with_line_end),
    ];
    for home in homes {
        for line in [
            "workflow list",
            "workflow get w",
            "config list",
            "config explain",
            "token mint list_workflows --ttl 5m",
            "doctor",
        ] {
            let ran = command(home, line).ran();
            assert_eq!(ran.code, Some(0), "{home:?} {line}: {ran:?}");
            if can_be_others {
                let ran = others(home, line).ran();
                assert_eq!(ran.code, Some(0), "as others, {home:?} {line}: {ran:?}");
            }
        }
    }
    let set = "config set region nb --profile p";
    command(Some(Path::new("/dev/null")), set)
        .ran()
        .fails(2, ["/dev/null/.config"]);
    if can_be_others {
        // For anybody else an unset HOME is the one of the machine's list of users.
        for home in [None, Some(Path::new("relative"))] {
            others(home, set)
                .ran()
                .fails(2, ["set HOME or PANDORA_CONFIG_FILE"]);
        }
    }
    command(Some(&missing), set).ran().ok();
    assert!(missing.join(".config/pipeline/config.toml").is_file());
}

#[test]
fn noise_around_keys_in_variables_is_no_part_of_them_and_noise_within_is_named() {
    let service = Service::new();
    for (before, after) in [
        ("", "\n"),
        (" ", "\r\n"),
        ("\u{feff}", ""),
        ("\u{a0}", "\u{a0}"),
        ("\r", "\t"),
    ] {
        let noisy = |key: &str| format!("{before}{key}{after}");
        let mut command = service.command("workflow list");
        command
            .env("PANDORA_ACCESS_KEY", noisy(ACCESS_KEY))
            .env("PANDORA_SECRET_KEY", noisy(SECRET_KEY))
            .env("PANDORA_ENDPOINT", noisy(&service.server.url()));
        command.ran().ok();
    }
    let (left, right) = SECRET_KEY.split_at(6);
    for (within, says) in [
        ("\n", "the end of a line"),
        ("\r", "the end of a line"),
        (" ", "a blank"),
        ("\u{a0}", "a blank"),
        ("\u{feff}", "not ASCII"),
    ] {
        let mut command = service.command("workflow list");
        command.env("PANDORA_SECRET_KEY", [left, within, right].concat());
        let line = command.ran().failed(2);
        assert!(
            line.contains("PANDORA_SECRET_KEY: the secret key") && line.contains(says),
            "{line}"
        );
        assert!(!line.contains(left) && !line.contains(right), "{line}");
    }
}

#[test]
fn a_file_with_secrets_that_others_can_read_is_refused_or_warned_of_unless_allowed() {
    let service = Service::new();
    let folder = TempDir::new().unwrap();
    let config = write(
        &folder,
        "config.toml",
        &format!(
            "default_profile = \"p\"\n[profiles.p]\nendpoint = \"{}\"\naccess_key = \"{ACCESS_KEY}\"\nsecret_key = \"{SECRET_KEY}\"\n",
            service.server.url()
        ),
        0o640,
    );
    for (value, allowed) in [
        (None, false),
        (Some(""), false),
        (Some("0"), false),
        (Some("false"), false),
        (Some("No\n"), false),
        (Some("1"), true),
        (Some("true"), true),
        (Some("yes\n"), true),
    ] {
        let allow = |command: &mut Command| {
            if let Some(value) = value {
                command.env("PANDORA_ALLOW_OPEN_FILES", value);
            }
            command.ran()
        };
        let mut command = pipeline("workflow list");
        let ran = allow(command.env("PANDORA_CONFIG_FILE", &config));
        if allowed {
            ran.ok();
        } else {
            ran.fails(2, ["mode 640", "PANDORA_ALLOW_OPEN_FILES=1"]);
        }
        for (mode, open) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
            let key = write(&folder, "key", SECRET_KEY, 0o600);
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            let key = key.to_str().unwrap();
            let ran = allow(&mut service.command(&[
                "workflow",
                "list",
                "--secret-key-file",
                key,
                "--access-key",
                ACCESS_KEY,
            ]));
            let warned = ran.stderr.contains(&format!("mode {mode:o}"));
            assert_eq!(warned, open && !allowed, "{value:?} {mode:o}: {ran:?}");
            ran.ok();
            fs::remove_file(key).unwrap();
        }
    }
}

#[test]
fn whatever_a_program_that_knows_the_keys_does_the_command_ends_and_says_what() {
    let service = Service::new();
    let folder = TempDir::new().unwrap();
    let there = folder.path().to_str().unwrap();
    let json = format!(r#"printf '{{"access_key":"{ACCESS_KEY}","secret_key":"{SECRET_KEY}"}}'"#);
    let lives_on = format!("(while [ -e {there} ]; do sleep 0.05; done) &");
    for (command, code, says) in [
        (json.clone(), 0, ""),
        // What it leaves running holds its stdout and stderr open.
        (format!("{lives_on} {json}"), 0, ""),
        (format!("{json}; {lives_on}"), 0, ""),
        (format!("{json}; exec >&-"), 0, ""),
        (format!("echo unlocking >&2; {json}"), 0, "unlocking\n"),
        (
            format!("test -z \"$PANDORA_SECRET_KEY$PANDORA_TOKEN\" && {json}"),
            0,
            "",
        ),
        ("echo locked >&2; exit 7".into(), 2, "locked\nerror: "),
        ("exit 7".into(), 2, "ended with exit status: 7"),
        ("kill -9 $$".into(), 2, "ended with signal: 9"),
        ("true".into(), 2, "must write a JSON object"),
        ("echo '[1]'".into(), 2, "must write a JSON object"),
        (format!("{json}; {json}"), 2, "must write a JSON object"),
        ("no-such-program-here".into(), 2, "exit status: 127"),
        ("/dev/null".into(), 2, "exit status: 126"),
        ("head -c 3000000 /dev/zero".into(), 2, "more than 64 KiB"),
        ("while :; do echo y; done".into(), 2, "more than 64 KiB"),
        (format!("exec >&-; {lives_on} exit 5"), 2, "exit status: 5"),
    ] {
        let text = format!(
            "[profiles.p]\nendpoint = \"{}\"\ncredential_process = '''{command}'''\n",
            service.server.url()
        );
        let config = write(&folder, "config.toml", &text, 0o600);
        let mut call = pipeline("workflow list --profile p");
        call.env("PANDORA_CONFIG_FILE", config)
            .env("PATH", "/usr/bin:/bin")
            .env("PANDORA_SECRET_KEY", "another")
            .env("PANDORA_TOKEN", "a:b:c");
        let ran = call.ran();
        assert_eq!(ran.code, Some(code), "{command}: {ran:?}");
        assert!(ran.stderr.contains(says), "{command}: {ran:?}");
    }
}

#[test]
fn a_file_may_have_a_name_that_is_no_text_wherever_one_is_named() {
    let service = Service::new().with_workflow("w");
    let folder = TempDir::new().unwrap();
    let name = |ending: &str| {
        let bytes = [b"caf\xe9", ending.as_bytes()].concat();
        OsStr::from_bytes(&bytes).to_owned()
    };
    let text = "name: w\nregion: nb\nnodes:\n  raw-repo:\n    data: {schema: [{key: ip, valtype: string}]}\n";
    let deep = folder.path().join(name(".d"));
    fs::create_dir(&deep).unwrap();
    fs::write(deep.join(name(".yaml")), text).unwrap();
    write(&folder, name(".yaml"), text, 0o644);
    write(&folder, name(".key"), SECRET_KEY, 0o600);
    write(&folder, name(".toml"), "", 0o600);
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    write(&folder, name(".pem"), &certificate.cert.pem(), 0o644);
    let access_key = format!("--access-key {ACCESS_KEY} --secret-key-file @.key");
    for (line, written) in [
        ("workflow lint @.yaml", ""),
        ("workflow lint -R @.d", ""),
        ("workflow lint @.yaml @.yaml -o json", ""),
        ("workflow diff @.yaml", ""),
        ("workflow diff @.yaml w", ""),
        ("workflow diff -f @.yaml -o json", ""),
        ("workflow graph @.yaml --out @.svg", ".svg"),
        ("workflow graph w --out @.dot", ".dot"),
        ("workflow apply @.yaml --yes", ""),
        ("workflow apply -R @.d --yes", ""),
        ("workflow apply -f @.yaml --dry-run", ""),
        ("workflow update w -f @.yaml --yes", ""),
        ("workflow export w --out @.out.yaml", ".out.yaml"),
        ("workflow list --record @.record", ".record"),
        ("workflow list --replay @.record", ""),
        ("workflow list --ca-file @.pem", ""),
        (&format!("workflow list {access_key}"), ""),
        ("config set region nb --profile q", ".toml"),
    ] {
        let mut command = service.command(&[]);
        for word in line.split(' ') {
            match word.strip_prefix('@') {
                Some(ending) => command.arg(name(ending)),
                None => command.arg(word),
            };
        }
        command
            .current_dir(folder.path())
            .env("PANDORA_CONFIG_FILE", folder.path().join(name(".toml")));
        let ran = command.ran();
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
        assert!(
            written.is_empty() || folder.path().join(name(written)).exists(),
            "{line}: {ran:?}"
        );
    }
}
